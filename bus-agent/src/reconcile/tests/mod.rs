//! The reconciler by tables: inputs in, actions out.

use std::ops::Deref;

use contract::{Affects, BusEvent, BusId, CommitId, Destination, Notice, Scope};

use super::*;
use crate::follows::Follows;

mod events;
mod logs;
mod reports;
mod rounds;

const SECOND: Duration = Duration::from_secs(1);

fn pace() -> Pace {
    Pace {
        interval: 60 * SECOND,
        ..Pace::default()
    }
}

/// What is tested, but for how long it has known what it asks for.
struct Machine(Reconciler);

impl Machine {
    fn step(&mut self, now: Duration, input: Input) -> Vec<Action> {
        let mut actions = self.0.step(now, input);
        for action in &mut actions {
            if let Action::Fetch(ask) = action {
                ask.at_least.iter_mut().for_each(|bound| bound.age = None);
            }
        }
        actions
    }
}

impl Deref for Machine {
    type Target = Reconciler;

    fn deref(&self) -> &Reconciler {
        &self.0
    }
}

/// An agent of `orders` with the label `main` that has not looked yet.
fn fresh() -> Machine {
    let label = Some("main".parse().expect("a label"));
    let follows = Follows::new("orders".parse().expect("a name"), vec![], label);
    Machine(Reconciler::new(follows, pace(), 7))
}

/// The same, at rest with revision 1 live at the time 0.
fn at_rest() -> Machine {
    let mut machine = fresh();
    assert_eq!(machine.step(Duration::ZERO, Input::Due), [fetch(None, None)]);
    assert_eq!(machine.step(Duration::ZERO, changed(1)), [apply(1)]);
    let after = machine.step(Duration::ZERO, Input::Applied(Ok(())));
    assert_eq!(after, [Action::Persist, report(&[], Outcome::Applied)]);
    machine
}

fn commit(n: u64) -> CommitId {
    format!("{n:040}").parse().expect("a commit")
}

fn revision(n: u64) -> Revision {
    Revision {
        digest: format!("d{n}"),
        etag: Some(format!("\"d{n}\"")),
        version: Some(commit(n).to_string()),
        moved: Some(MoveId {
            epoch: "log".to_owned(),
            sequence: n,
        }),
    }
}

fn changed(n: u64) -> Input {
    Input::Looked(Looked::Changed(Arrived {
        revision: revision(n),
        label: None,
        stale: false,
    }))
}

fn same(n: u64) -> Input {
    let Revision { version, moved, .. } = revision(n);
    Input::Looked(Looked::NotModified {
        version,
        moved,
        label: None,
    })
}

fn failed(retry_after: Option<Duration>, behind: bool) -> Input {
    Input::Looked(Looked::Failed(Failed {
        reason: "away".to_owned(),
        retry_after,
        behind,
    }))
}

fn event(id: &str, notice: Option<Notice>) -> Input {
    let origin: BusId = "config-server:8888:a".parse().expect("an id");
    Input::Heard(Message {
        event: BusEvent::refresh(EventId::received(id), 0, &origin, Destination::everyone()),
        notice,
    })
}

fn notice(n: u64) -> Notice {
    Notice {
        label: "main".parse().expect("a label"),
        from: None,
        to: commit(n),
        affects: Affects::All,
        spread_millis: 0,
        report_spread_millis: 0,
        moved: revision(n).moved,
    }
}

fn fetch(at_least: Option<u64>, etag: Option<u64>) -> Action {
    Action::Fetch(Ask {
        at_least: at_least.map(bound).into_iter().collect(),
        etag: etag.and_then(|n| revision(n).etag),
    })
}

fn bound(n: u64) -> AtLeast {
    AtLeast {
        moved: revision(n).moved,
        ..commit(n).into()
    }
}

/// A fetch of anything newer than what is known.
fn fetch_newer(etag: u64) -> Action {
    Action::Fetch(Ask {
        at_least: vec![AtLeast {
            commit: None,
            moved: None,
            age: None,
        }],
        etag: revision(etag).etag,
    })
}

fn apply(n: u64) -> Action {
    Action::Apply(revision(n).digest)
}

fn report(events: &[&str], outcome: Outcome) -> Action {
    Action::Report(Ended {
        events: events.iter().map(|id| EventId::received(id)).collect(),
        outcome,
        reason: None,
        took: Duration::ZERO,
        report_in: Duration::ZERO,
    })
}

/// The outcome of the only report among `actions`, with the events it answers.
fn reported(actions: &[Action]) -> Option<(Outcome, Vec<&str>)> {
    let mut reports = actions.iter().filter_map(|action| match action {
        Action::Report(ended) => Some((ended.outcome, ended.events.iter().map(EventId::as_str).collect())),
        _ => None,
    });
    let report = reports.next();
    assert!(reports.next().is_none(), "more than one report: {actions:?}");
    report
}
