//! Random histories against a model of the server: whatever is lost, repeated, reordered or fails,
//! the agent never goes backward, never applies the same twice in a row, ends at the head, and has
//! answered every event it heard.

use std::collections::BTreeSet;

use contract::{Affects, BusEvent, BusId, CommitId, Destination, Notice};
use proptest::prelude::*;

use super::*;
use crate::apply::Veto;
use crate::follows::Follows;

/// One thing that may happen.
#[derive(Debug, Clone)]
enum Step {
    /// The head moves; equal contents make commits that change nothing.
    Move { content: u8 },
    /// The notice of a move arrives: the `nth` back, so late, repeated or never.
    Deliver { nth: usize },
    /// The connection comes or goes.
    Connection { up: bool },
    /// The running fetch ends.
    Answer { how: How },
    /// The running apply ends.
    Apply { vetoed: bool },
    /// Time passes.
    Wait { millis: u64 },
    /// An operator asks.
    Ask,
}

#[derive(Debug, Clone, Copy)]
enum How {
    Good,
    Fails,
    /// A replica that is some moves behind and does not know about lower bounds.
    Behind(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..4_u8).prop_map(|content| Step::Move { content }),
        4 => (0..6_usize).prop_map(|nth| Step::Deliver { nth }),
        1 => any::<bool>().prop_map(|up| Step::Connection { up }),
        4 => prop_oneof![Just(How::Good), Just(How::Fails), (1..4_u64).prop_map(How::Behind)]
            .prop_map(|how| Step::Answer { how }),
        4 => prop::bool::weighted(0.1).prop_map(|vetoed| Step::Apply { vetoed }),
        2 => (1..90_000_u64).prop_map(|millis| Step::Wait { millis }),
        1 => Just(Step::Ask),
    ]
}

/// The server, the agent and what is under way between them.
struct World {
    now: Duration,
    machine: Reconciler,
    /// Content of each move of the one log; the head is the last.
    moves: Vec<u8>,
    asked: Option<Ask>,
    applying: Option<String>,
    arrived: Option<Revision>,
    live: Option<Revision>,
    fetches: usize,
    heard: BTreeSet<EventId>,
    answered: BTreeSet<EventId>,
}

impl World {
    fn new(seed: u64) -> Self {
        let label = Some("main".parse().expect("a label"));
        let follows = Follows::new("orders".parse().expect("a name"), vec![], label);
        Self {
            now: Duration::ZERO,
            machine: Reconciler::new(follows, Pace::default(), seed),
            moves: vec![0],
            asked: None,
            applying: None,
            arrived: None,
            live: None,
            fetches: 0,
            heard: BTreeSet::new(),
            answered: BTreeSet::new(),
        }
    }

    fn head(&self) -> u64 {
        self.moves.len() as u64
    }

    fn revision(&self, sequence: u64) -> Revision {
        let content = self.moves[usize::try_from(sequence).expect("small") - 1];
        Revision {
            digest: format!("c{content}"),
            etag: Some(format!("\"c{content}\"")),
            version: Some(commit(sequence).to_string()),
            moved: Some(MoveId {
                epoch: "log".to_owned(),
                sequence,
            }),
        }
    }

    fn feed(&mut self, input: Input) {
        for action in self.machine.step(self.now, input) {
            match action {
                Action::Fetch(ask) => {
                    assert!(self.asked.is_none() && self.applying.is_none(), "two rounds at once");
                    self.fetches += 1;
                    self.asked = Some(ask);
                }
                Action::Apply(digest) => {
                    assert!(self.asked.is_none() && self.applying.is_none(), "two rounds at once");
                    assert_ne!(
                        self.live.as_ref().map(|live| &live.digest),
                        Some(&digest),
                        "applied twice"
                    );
                    self.applying = Some(digest);
                }
                Action::Persist => {}
                Action::Report(ended) => self.answered.extend(ended.events),
                Action::Pin(_) | Action::Shutdown { .. } => panic!("nothing is pinned or ended here"),
            }
        }
        self.check();
    }

    fn check(&self) {
        if self.asked.is_none() && self.applying.is_none() {
            assert!(self.machine.wake_at().is_some(), "at rest without a next look");
        }
    }

    fn act(&mut self, step: &Step) {
        match *step {
            Step::Move { content } => self.moves.push(content),
            Step::Deliver { nth } => self.deliver(nth),
            Step::Connection { up } => self.feed(if up { Input::Connected } else { Input::Lost }),
            Step::Answer { how } => self.answer(how),
            Step::Apply { vetoed } => self.apply(vetoed),
            Step::Wait { millis } => self.wait(Duration::from_millis(millis)),
            Step::Ask => self.feed(Input::Asked),
        }
    }

    fn deliver(&mut self, nth: usize) {
        let Some(sequence) = self.head().checked_sub(nth as u64).filter(|&sequence| sequence > 0) else {
            return;
        };
        let origin: BusId = "config-server:8888:a".parse().expect("an id");
        let id = EventId::received(&format!("move-{sequence}"));
        self.heard.insert(id.clone());
        self.feed(Input::Heard(Message {
            event: BusEvent::refresh(id, 0, &origin, Destination::everyone()),
            notice: Some(Notice {
                label: "main".parse().expect("a label"),
                from: None,
                to: commit(sequence),
                affects: Affects::All,
                spread_millis: 700,
                report_spread_millis: 900,
                moved: self.revision(sequence).moved,
            }),
        }));
    }

    fn answer(&mut self, how: How) {
        let Some(ask) = self.asked.take() else {
            return;
        };
        let sequence = match how {
            How::Fails => {
                return self.feed(Input::Looked(Looked::Failed(Failed {
                    reason: "away".to_owned(),
                    retry_after: None,
                    behind: false,
                })));
            }
            How::Good => self.head(),
            How::Behind(moves) => self.head().saturating_sub(moves).max(1),
        };
        let revision = self.revision(sequence);
        let looked = if ask.etag.is_some() && ask.etag == revision.etag {
            Looked::NotModified {
                version: revision.version,
                moved: revision.moved,
                label: None,
            }
        } else {
            self.arrived = Some(revision.clone());
            Looked::Changed(Arrived {
                revision,
                label: None,
                stale: false,
            })
        };
        self.feed(Input::Looked(looked));
    }

    fn apply(&mut self, vetoed: bool) {
        if self.applying.take().is_none() {
            return;
        }
        if vetoed {
            return self.feed(Input::Applied(Err(Veto::failed("not now"))));
        }
        let arrived = self.arrived.take().expect("what is applied has arrived");
        if let Some(live) = &self.live {
            assert!(!arrived.is_before(live), "went backward from {live} to {arrived}");
        }
        self.live = Some(arrived);
        self.feed(Input::Applied(Ok(())));
    }

    fn wait(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(due) = self.machine.wake_at().filter(|due| *due <= until) {
            assert!(
                due >= self.now || self.machine.wake_at() <= Some(self.now),
                "time runs forward"
            );
            self.now = self.now.max(due);
            self.feed(Input::Due);
        }
        self.now = until;
    }

    /// From here on nothing fails and nothing more is heard.
    fn calm_down(&mut self) {
        for _ in 0..6 {
            while self.asked.is_some() || self.applying.is_some() {
                self.answer(How::Good);
                self.apply(false);
            }
            self.wait(Pace::default().interval);
        }
    }
}

fn commit(n: u64) -> CommitId {
    format!("{n:040}").parse().expect("a commit")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_history_ends_at_the_head_and_never_goes_backward(
        seed in any::<u64>(),
        steps in prop::collection::vec(step(), 0..120),
    ) {
        let mut world = World::new(seed);
        world.feed(Input::Due);
        for step in &steps {
            world.act(step);
        }
        world.calm_down();
        let live = world.machine.live().expect("something is live");
        prop_assert_eq!(live, &world.revision(world.head()));
        prop_assert_eq!(&world.heard, &world.answered);
    }

    #[test]
    fn events_that_come_together_cost_two_fetches(seed in any::<u64>(), order in Just((1..51_usize).collect::<Vec<_>>()).prop_shuffle()) {
        let mut world = World::new(seed);
        world.feed(Input::Due);
        world.answer(How::Good);
        world.apply(false);
        world.moves.extend((0..50).map(|n| 10 + n));
        let before = world.fetches;
        for nth in &order {
            world.deliver(nth - 1);
        }
        let deadline = world.now + 2 * Duration::from_millis(700);
        while world.now < deadline {
            world.wait(Duration::from_millis(50));
            world.answer(How::Good);
            world.apply(false);
        }
        prop_assert!(world.fetches - before <= 2, "{} fetches", world.fetches - before);
        prop_assert_eq!(world.machine.live().and_then(Revision::commit), Some(commit(51)));
    }
}

#[test]
fn agents_that_hear_at_once_fetch_at_different_times() {
    let mut dues = BTreeSet::new();
    for seed in 0..100 {
        let mut world = World::new(seed);
        world.feed(Input::Due);
        world.answer(How::Good);
        world.apply(false);
        world.moves.push(9);
        world.deliver(0);
        dues.insert(world.machine.wake_at().expect("a time"));
    }
    let (first, last) = (dues.first().expect("some"), dues.last().expect("some"));
    assert!(dues.len() > 90, "{} different times", dues.len());
    assert!(
        *last - *first > Duration::from_millis(500),
        "from {first:?} to {last:?}"
    );
}
