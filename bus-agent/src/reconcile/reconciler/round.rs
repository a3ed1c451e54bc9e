//! What the ends of a round lead to: of its fetch, and of its apply.

use std::time::Duration;

use contract::{MoveId, Outcome};

use super::{Reconciler, Refused, Running, Stage, Told};
use crate::apply::Veto;
use crate::reconcile::pending::Pending;
use crate::reconcile::{Action, Arrived, Ended, Failed, Looked};
use crate::revision::{Revision, precedes};

impl Reconciler {
    pub(super) fn looked(&mut self, now: Duration, looked: Looked) -> Vec<Action> {
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
        let refused = self.refused_as(&revision).filter(|_| !cause.insist);
        if let Some((outcome, reason)) = refused.map(|refused| (refused.outcome, refused.reason.clone())) {
            self.rest(now);
            return self.tell_if_news(now, cause, outcome, reason).into_iter().collect();
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
            && !is_elsewhere(live, version.as_deref(), moved.as_ref())
            && (live.version != version || live.moved != moved)
        {
            live.version = version;
            live.moved = moved;
            self.live_since = now;
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

    pub(super) fn applied(&mut self, now: Duration, result: Result<(), Veto>) -> Vec<Action> {
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
                self.live_since = now;
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
            self.refused = Some(Refused {
                digest: revision.digest,
                outcome: veto.outcome(),
                reason: reason.clone(),
            });
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

    pub(super) fn is_live(&self, revision: &Revision) -> bool {
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
        let known = self.told.as_ref();
        let news = known.is_none_or(|told| told.live != self.live || told.well != is_well(outcome));
        if awaited || news {
            return Some(self.tell(now, cause, outcome, reason));
        }
        self.tell_if_due(now, cause, outcome, reason)
    }

    /// Says that this agent is still there, when it has not said anything for long.
    fn tell_if_due(
        &mut self,
        now: Duration,
        cause: Pending,
        outcome: Outcome,
        reason: Option<String>,
    ) -> Option<Action> {
        let told = self.told.as_ref().map_or(Duration::ZERO, |told| told.at);
        (now.saturating_sub(told) >= self.pace.sign_of_life).then(|| self.tell(now, cause, outcome, reason))
    }

    pub(super) fn refused_as(&self, revision: &Revision) -> Option<&Refused> {
        self.refused
            .as_ref()
            .filter(|refused| refused.digest == revision.digest)
    }

    pub(super) fn tell(&mut self, now: Duration, cause: Pending, outcome: Outcome, reason: Option<String>) -> Action {
        self.told = Some(Told {
            live: self.live.clone(),
            well: is_well(outcome),
            at: now,
        });
        Action::Report(Ended {
            events: cause.events,
            outcome,
            reason,
            took: now.saturating_sub(cause.since),
            report_in: cause.report_at.saturating_sub(now),
        })
    }
}

/// Whether another log has the same commit live. When its head came there is not known, so it would
/// say less than the move that is remembered.
fn is_elsewhere(live: &Revision, version: Option<&str>, moved: Option<&MoveId>) -> bool {
    let other_log = |live: &MoveId, moved: &MoveId| live.epoch != moved.epoch;
    live.version.as_deref() == version
        && live
            .moved
            .as_ref()
            .zip(moved)
            .is_some_and(|(live, moved)| other_log(live, moved))
}

fn is_well(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Applied | Outcome::Unchanged)
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
