//! The state machine.

use std::time::Duration;

use contract::{BusEvent, EventId, EventKind, Label, Message, MoveId, Notice, Outcome};

use super::pace::Pace;
use super::pending::Pending;
use super::seen::SeenEvents;
use super::{Action, Arrived, Ask, Ended, Failed, Input, Looked};
use crate::apply::Veto;
use crate::follows::Follows;
use crate::revision::{Revision, precedes};

/// Keeps one agent at the head of what it follows.
#[derive(Debug)]
pub struct Reconciler {
    follows: Follows,
    pace: Pace,
    rng: fastrand::Rng,
    pins: bool,
    seen: SeenEvents,
    /// What is live.
    live: Option<Revision>,
    /// The label the server serves when none is asked for.
    served: Option<Label>,
    /// Digest of what was refused for good.
    refused: Option<String>,
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
    /// What the servers were told last: what is live, and whether the round ended well.
    told: Option<(Option<Revision>, bool)>,
}

/// The round that runs.
#[derive(Debug)]
struct Running {
    cause: Pending,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// `unbound` when it asks without a lower bound.
    Fetching { unbound: bool },
    /// The revision is live when the apply ends well.
    Applying(Revision),
}

impl Reconciler {
    /// A machine whose first round is due at once. `live` is what the process runs already (its
    /// last known good), `seed` makes the jitter reproducible.
    #[must_use]
    pub fn new(follows: Follows, pace: Pace, live: Option<Revision>, seed: u64) -> Self {
        Self {
            follows,
            pace,
            rng: fastrand::Rng::with_seed(seed),
            pins: false,
            seen: SeenEvents::default(),
            live,
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
        let BusEvent { id, kind, .. } = event;
        match kind {
            EventKind::Refresh => self.refresh(now, id, notice),
            EventKind::EnvironmentChange(values) if self.pins => {
                self.local_events.push(id);
                return vec![Action::Pin(values)];
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
        let window = notice.spread().min(self.pace.spread_longest);
        let pending = Pending::asked(now, now + Pace::within(window, &mut self.rng), vec![id]);
        let ours = self.follows.knows_label(&notice.label, self.served.as_ref()) == Some(true);
        // A commit of a branch that is not followed would never be reached.
        self.want(if ours { pending.wanting(&notice) } else { pending });
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
        // asked for (history was rewritten): look without a bound, and believe only an answer that
        // is fresh from the remote.
        let unbound = cause
            .behind_since
            .is_some_and(|since| now.saturating_sub(since) >= self.pace.interval);
        let live = self.live.as_ref();
        let wanted = cause.wanted.as_ref().map(|wanted| wanted.commit.clone());
        let floor = || live.filter(|live| live.moved.is_some()).and_then(Revision::commit);
        let ask = Ask {
            at_least: if unbound { None } else { wanted.or_else(floor) },
            etag: live.and_then(|live| live.etag.clone()),
        };
        self.running = Some(Running {
            cause,
            stage: Stage::Fetching { unbound },
        });
        Action::Fetch(ask)
    }

    fn start_local(&mut self, now: Duration, revision: Revision) -> Option<Action> {
        let cause = Pending::asked(now, now, std::mem::take(&mut self.local_events));
        if self.is_live(&revision) || self.refused.as_ref() == Some(&revision.digest) {
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

    fn looked(&mut self, now: Duration, looked: Looked) -> Vec<Action> {
        let Some(Running {
            cause,
            stage: Stage::Fetching { unbound },
        }) = self.running.take_if(|running| running.is_fetching())
        else {
            return Vec::new();
        };
        match looked {
            Looked::NotModified { version, moved, label } if self.live.is_some() => {
                self.served = label.or(self.served.take());
                self.unchanged(now, cause, version, moved)
            }
            Looked::NotModified { .. } => self.failed(now, cause, Failed::because("a 304 answered an open request")),
            Looked::Changed(arrived) => self.arrived(now, cause, arrived, unbound),
            Looked::Failed(failed) => self.failed(now, cause, failed),
        }
    }

    fn arrived(&mut self, now: Duration, cause: Pending, arrived: Arrived, unbound: bool) -> Vec<Action> {
        let Arrived { revision, label, stale } = arrived;
        self.served = label.or(self.served.take());
        if self.is_live(&revision) {
            return self.unchanged(now, cause, revision.version, revision.moved);
        }
        let older = self.live.as_ref().is_some_and(|live| revision.is_before(live));
        if older || (unbound && stale) {
            return self.failed(now, cause, Failed::behind("the server is behind what is live here"));
        }
        if self.refused.as_ref() == Some(&revision.digest) && !cause.insist {
            self.rest(now);
            return Vec::new();
        }
        vec![self.start_apply(cause, revision)]
    }

    fn unchanged(
        &mut self,
        now: Duration,
        cause: Pending,
        version: Option<String>,
        moved: Option<MoveId>,
    ) -> Vec<Action> {
        let mut actions = Vec::new();
        if let Some(live) = &mut self.live
            && !precedes(moved.as_ref(), live.moved.as_ref())
            && (live.version != version || live.moved != moved)
        {
            live.version = version;
            live.moved = moved;
            actions.push(Action::Persist);
        }
        self.rest(now);
        actions.extend(self.tell_if_news(now, cause, Outcome::Unchanged, None));
        actions
    }

    fn failed(&mut self, now: Duration, mut cause: Pending, failed: Failed) -> Vec<Action> {
        if failed.behind {
            cause.behind_since.get_or_insert(now);
        }
        self.back_off(now, failed.retry_after);
        let news = self.tell_if_news(now, cause.clone(), Outcome::Failed, Some(failed.reason));
        self.again(now, cause);
        news.into_iter().collect()
    }

    fn applied(&mut self, now: Duration, result: Result<(), Veto>) -> Vec<Action> {
        let Some(Running {
            mut cause,
            stage: Stage::Applying(revision),
        }) = self.running.take_if(|running| !running.is_fetching())
        else {
            return Vec::new();
        };
        match result {
            Ok(()) => {
                self.live = Some(revision);
                self.refused = None;
                // What came to lie on top during the round is part of what was made live.
                self.local = None;
                cause.events.append(&mut self.local_events);
                self.rest(now);
                vec![Action::Persist, self.tell(now, cause, Outcome::Applied, None)]
            }
            Err(veto) => self.refused(now, cause, revision, &veto),
        }
    }

    fn refused(&mut self, now: Duration, cause: Pending, revision: Revision, veto: &Veto) -> Vec<Action> {
        let reason = Some(veto.reason().to_owned());
        if !veto.may_pass() {
            self.refused = Some(revision.digest);
            self.rest(now);
            return vec![self.tell(now, cause, veto.outcome(), reason)];
        }
        self.back_off(now, None);
        let news = self.tell_if_news(now, cause.clone(), veto.outcome(), reason);
        self.again(now, cause);
        news.into_iter().collect()
    }

    /// A round ended well: the next one without a cause is an interval away.
    fn rest(&mut self, now: Duration) {
        self.failures = 0;
        self.timer = now + self.pace.until_timer(&mut self.rng);
    }

    fn back_off(&mut self, now: Duration, wish: Option<Duration>) {
        self.failures = self.failures.saturating_add(1);
        self.hold = now + self.pace.until_retry(self.failures, wish, &mut self.rng);
    }

    /// The cause of a failed round is still there; what came meanwhile joins it.
    fn again(&mut self, now: Duration, mut cause: Pending) {
        cause.told = true;
        cause.not_before = now;
        if let Some(later) = self.pending.take() {
            cause.absorb(later);
        }
        self.pending = Some(cause);
    }

    fn is_live(&self, revision: &Revision) -> bool {
        self.live.as_ref().is_some_and(|live| live.digest == revision.digest)
    }

    fn tell_if_news(
        &mut self,
        now: Duration,
        cause: Pending,
        outcome: Outcome,
        reason: Option<String>,
    ) -> Option<Action> {
        let awaited = cause.announce && !(cause.told && outcome == Outcome::Failed);
        let news = self.told.as_ref() != Some(&(self.live.clone(), is_well(outcome)));
        (awaited || news).then(|| self.tell(now, cause, outcome, reason))
    }

    fn tell(&mut self, now: Duration, cause: Pending, outcome: Outcome, reason: Option<String>) -> Action {
        self.told = Some((self.live.clone(), is_well(outcome)));
        Action::Report(Ended {
            events: cause.events,
            outcome,
            reason,
            took: now.saturating_sub(cause.since),
        })
    }
}

fn is_well(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Applied | Outcome::Unchanged)
}

impl Running {
    fn is_fetching(&self) -> bool {
        matches!(self.stage, Stage::Fetching { .. })
    }
}

impl Failed {
    fn because(reason: &str) -> Self {
        Self {
            reason: reason.to_owned(),
            retry_after: None,
            behind: false,
        }
    }

    fn behind(reason: &str) -> Self {
        Self {
            behind: true,
            ..Self::because(reason)
        }
    }
}
