//! The state machine: what is heard, and when a round starts. What its ends lead to is in [`round`].

mod round;

use std::time::Duration;

use contract::{AtLeast, BusEvent, EventId, EventKind, Label, Message, Notice, Outcome, Shutdown};

use super::pace::Pace;
use super::pending::{Pending, Wanted};
use super::seen::SeenEvents;
use super::{Action, Ask, Input};
use crate::follows::Follows;
use crate::revision::{Revision, precedes};

/// Keeps one agent at the head of what it follows.
#[derive(Debug)]
pub struct Reconciler {
    follows: Follows,
    pace: Pace,
    rng: fastrand::Rng,
    pins: bool,
    /// Whether shutdown events are honoured.
    ends: bool,
    /// When this agent began, milliseconds since 1970.
    began: u64,
    seen: SeenEvents,
    /// What is live.
    live: Option<Revision>,
    /// Since when it is known under this name.
    live_since: Duration,
    /// The label the server serves when none is asked for.
    served: Option<Label>,
    /// What was refused for good.
    refused: Option<Refused>,
    /// What lies on top, when it came during a round.
    local: Option<Revision>,
    local_events: Vec<EventId>,
    pending: Option<Pending>,
    running: Option<Running>,
    /// When to look without a cause.
    timer: Duration,
    /// No fetch before this: backoff, or the server's wish.
    hold: Duration,
    failures: u32,
    lost: bool,
    /// What the servers were told last.
    told: Option<Told>,
}

/// What the application does not take, and what was told of it.
#[derive(Debug)]
struct Refused {
    digest: String,
    outcome: Outcome,
    reason: Option<String>,
}

/// What the servers know of this agent.
#[derive(Debug)]
struct Told {
    live: Option<Revision>,
    well: bool,
    at: Duration,
}

/// The round that runs.
#[derive(Debug)]
struct Running {
    cause: Pending,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// `unbound` when it asks for no commit.
    Fetching { unbound: bool },
    /// The revision is live when the apply ends well.
    Applying(Revision),
}

impl Reconciler {
    /// A machine with nothing live, whose first round is due at once. `seed` makes the jitter
    /// reproducible.
    #[must_use]
    pub fn new(follows: Follows, pace: Pace, seed: u64) -> Self {
        Self {
            follows,
            pace,
            rng: fastrand::Rng::with_seed(seed),
            pins: false,
            ends: false,
            began: 0,
            seen: SeenEvents::default(),
            live: None,
            live_since: Duration::ZERO,
            served: None,
            refused: None,
            local: None,
            local_events: Vec::new(),
            pending: Some(Pending::announced(Duration::ZERO, Duration::ZERO)),
            running: None,
            timer: Duration::MAX,
            hold: Duration::ZERO,
            failures: 0,
            lost: false,
            told: None,
        }
    }

    /// Honours environment-change events from now on.
    #[must_use]
    pub fn with_pins(mut self, honoured: bool) -> Self {
        self.pins = honoured;
        self
    }

    /// Honours shutdown events from now on: those made at `began` (milliseconds since 1970) or later.
    #[must_use]
    pub fn with_shutdowns(mut self, honoured: bool, began: u64) -> Self {
        self.ends = honoured;
        self.began = began;
        self
    }

    /// What is live.
    #[must_use]
    pub fn live(&self) -> Option<&Revision> {
        self.live.as_ref()
    }

    /// How many rounds failed in a row.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// When [`Input::Due`] is wanted; `None` while a round runs.
    #[must_use]
    pub fn wake_at(&self) -> Option<Duration> {
        if self.running.is_some() {
            return None;
        }
        let due = self
            .pending
            .as_ref()
            .map_or(Duration::MAX, |pending| pending.not_before);
        Some(due.min(self.timer).max(self.hold))
    }

    /// Takes `input` at `now`.
    pub fn step(&mut self, now: Duration, input: Input) -> Vec<Action> {
        let mut actions = match input {
            Input::Connected => self.connected(now),
            Input::Lost => {
                self.lost = true;
                Vec::new()
            }
            Input::Heard(message) => self.heard(now, message),
            Input::Due => Vec::new(),
            Input::Asked => self.asked(now),
            Input::Local(revision) => {
                self.local = Some(revision);
                Vec::new()
            }
            Input::Looked(looked) => self.looked(now, looked),
            Input::Applied(result) => self.applied(now, result),
        };
        actions.extend(self.start_what_is_due(now));
        actions
    }

    fn connected(&mut self, now: Duration) -> Vec<Action> {
        let mut delay = Duration::ZERO;
        if self.lost {
            delay = Pace::within(self.pace.reconnect_spread, &mut self.rng);
            self.hold = now;
        }
        self.lost = false;
        self.want(Pending::announced(now, now + delay));
        Vec::new()
    }

    fn asked(&mut self, now: Duration) -> Vec<Action> {
        self.hold = now;
        self.want(Pending::asked(now, now, Vec::new()));
        Vec::new()
    }

    fn heard(&mut self, now: Duration, message: Message) -> Vec<Action> {
        let Message { event, notice } = message;
        if !self.seen.note(now, &event.id) {
            return Vec::new();
        }
        if event.kind == EventKind::Shutdown {
            return vec![self.shutdown(event)];
        }
        let BusEvent { id, kind, .. } = event;
        match kind {
            EventKind::Refresh => self.refresh(now, id, notice),
            EventKind::EnvironmentChange(values) if self.pins => {
                self.local_events.push(id);
                return vec![Action::Pin(values)];
            }
            // Or the report on it would wait for this agent for ever. One that is not well goes on
            // saying that.
            EventKind::EnvironmentChange(_) if self.told.as_ref().is_some_and(|told| told.well) => {
                return vec![self.tell(now, Pending::asked(now, now, vec![id]), Outcome::Unchanged, None)];
            }
            _ => {}
        }
        Vec::new()
    }

    fn refresh(&mut self, now: Duration, id: EventId, notice: Option<Notice>) {
        let Some(notice) = notice else {
            return self.want(Pending::asked(now, now, vec![id]));
        };
        if !self.follows.is_meant_by(&notice, self.served.as_ref()) {
            return;
        }
        let [fetches, reports] = [notice.spread(), notice.report_spread()].map(|it| it.min(self.pace.spread_longest));
        let mut pending = Pending::asked(now, now + Pace::within(fetches, &mut self.rng), vec![id]);
        pending.report_at = now + reports / 2 + Pace::within(reports / 2, &mut self.rng);
        let ours = self.follows.knows_label(&notice.label, self.served.as_ref()) == Some(true);
        // A commit of a branch that is not followed would never be reached.
        self.want(if ours { pending.wanting(&notice) } else { pending });
    }

    fn shutdown(&self, event: BusEvent) -> Action {
        Action::Shutdown {
            verdict: Shutdown::of(&event, self.ends, self.began),
            event: event.id,
            origin: event.origin,
        }
    }

    fn want(&mut self, later: Pending) {
        match &mut self.pending {
            None => self.pending = Some(later),
            Some(pending) => pending.absorb(later),
        }
    }

    fn start_what_is_due(&mut self, now: Duration) -> Option<Action> {
        if self.running.is_some() {
            return None;
        }
        if let Some(revision) = self.local.take() {
            let started = self.start_local(now, revision);
            if started.is_some() {
                return started;
            }
        }
        if self.timer <= now {
            self.want(Pending::timer(now));
            self.timer = Duration::MAX;
        }
        self.pending
            .take_if(|pending| pending.not_before.max(self.hold) <= now)
            .map(|cause| self.start_fetch(now, cause))
    }

    fn start_fetch(&mut self, now: Duration, cause: Pending) -> Action {
        // A server that says for a whole interval that it is behind will never have what it is
        // asked for (history was rewritten): any commit will do, as long as it is newer.
        let unbound = cause
            .behind_since
            .is_some_and(|since| now.saturating_sub(since) >= self.pace.interval);
        let ask = Ask {
            at_least: if unbound {
                self.any_newer(now, &cause.wanted)
            } else {
                self.floor(now, &cause.wanted)
            },
            etag: self.live.as_ref().and_then(|live| live.etag.clone()),
        };
        self.running = Some(Running {
            cause,
            stage: Stage::Fetching { unbound },
        });
        Action::Fetch(ask)
    }

    /// What was announced, and what is live unless the log of an announcement puts that later.
    fn floor(&self, now: Duration, wanted: &[Wanted]) -> Vec<AtLeast> {
        let announced = wanted.iter().map(|wanted| AtLeast {
            commit: Some(wanted.commit.clone()),
            moved: wanted.moved.clone(),
            age: Some(now.saturating_sub(wanted.heard)),
        });
        announced.chain(self.live_floor(now, wanted)).collect()
    }

    /// Anything that a server has looked up since the youngest of what is known here.
    fn any_newer(&self, now: Duration, wanted: &[Wanted]) -> Vec<AtLeast> {
        let ages = self.floor(now, wanted).into_iter().filter_map(|bound| bound.age);
        let any = |age| AtLeast {
            commit: None,
            moved: None,
            age: Some(age),
        };
        ages.min().map(any).into_iter().collect()
    }

    fn live_floor(&self, now: Duration, wanted: &[Wanted]) -> Option<AtLeast> {
        let live = self.live.as_ref()?;
        let moved = live.moved.as_ref();
        let implied = |wanted: &Wanted| wanted.moved.as_ref() == moved || precedes(moved, wanted.moved.as_ref());
        if moved.is_some() && wanted.iter().any(implied) {
            return None;
        }
        Some(AtLeast {
            commit: Some(live.commit()?),
            moved: moved.cloned(),
            age: Some(now.saturating_sub(self.live_since)),
        })
    }

    fn start_local(&mut self, now: Duration, revision: Revision) -> Option<Action> {
        let cause = Pending::asked(now, now, std::mem::take(&mut self.local_events));
        if self.is_live(&revision) || self.refused_as(&revision).is_some() {
            return (!cause.events.is_empty()).then(|| self.tell(now, cause, Outcome::Unchanged, None));
        }
        Some(self.start_apply(cause, revision))
    }

    fn start_apply(&mut self, cause: Pending, revision: Revision) -> Action {
        let apply = Action::Apply(revision.digest.clone());
        self.running = Some(Running {
            cause,
            stage: Stage::Applying(revision),
        });
        apply
    }
}

impl Running {
    fn is_fetching(&self) -> bool {
        matches!(self.stage, Stage::Fetching { .. })
    }
}
