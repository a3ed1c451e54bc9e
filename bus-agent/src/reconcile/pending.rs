//! Why the agent is dirty, and what the next round must satisfy.

use std::time::Duration;

use contract::report::MAX_EVENTS;
use contract::{CommitId, EventId, MoveId, Notice};

use crate::revision::precedes;

/// Logs of which the newest notice is kept: servers that announce at the same time.
const LOGS: usize = 4;

/// The cause of a round. Several merge into one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pending {
    /// When the first cause came.
    pub(super) since: Duration,
    /// When to start.
    pub(super) not_before: Duration,
    /// When to tell how it ended.
    pub(super) report_at: Duration,
    /// The events to answer.
    pub(super) events: Vec<EventId>,
    /// What the newest notice of each log said is there: between logs there is no order.
    pub(super) wanted: Vec<Wanted>,
    /// Whether the end is told even when nothing changed.
    pub(super) announce: bool,
    /// Whether what was refused before is offered again.
    pub(super) insist: bool,
    /// Whether a failure was told already.
    pub(super) told: bool,
    /// Since when the server says that it is behind what was asked for.
    pub(super) behind_since: Option<Duration>,
}

/// The commit a notice named, and its place in the sender's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) commit: CommitId,
    pub(super) moved: Option<MoveId>,
    pub(super) heard: Duration,
}

impl Pending {
    /// The periodic look.
    pub(super) fn timer(now: Duration) -> Self {
        Self {
            since: now,
            not_before: now,
            report_at: now,
            events: Vec::new(),
            wanted: Vec::new(),
            announce: false,
            insist: false,
            told: false,
            behind_since: None,
        }
    }

    /// A look somebody waits to hear about: start, reconnect.
    pub(super) fn announced(now: Duration, not_before: Duration) -> Self {
        Self {
            not_before,
            announce: true,
            ..Self::timer(now)
        }
    }

    /// A look somebody asked for by name: an operator, an event.
    pub(super) fn asked(now: Duration, not_before: Duration, events: Vec<EventId>) -> Self {
        Self {
            events,
            insist: true,
            ..Self::announced(now, not_before)
        }
    }

    /// The same, at least as new as `notice` says.
    pub(super) fn wanting(mut self, notice: &Notice) -> Self {
        self.wanted = vec![Wanted {
            commit: notice.to.clone(),
            moved: notice.moved.clone(),
            heard: self.since,
        }];
        self
    }

    /// Takes up a cause that came after this one.
    pub(super) fn absorb(&mut self, later: Self) {
        self.since = self.since.min(later.since);
        self.not_before = self.not_before.min(later.not_before);
        self.report_at = self.report_at.max(later.report_at);
        self.told &= later.events.is_empty();
        self.announce |= later.announce;
        self.insist |= later.insist;
        self.events.extend(later.events);
        let surplus = self.events.len().saturating_sub(MAX_EVENTS);
        self.events.drain(..surplus);
        for wanted in later.wanted {
            self.want(wanted);
        }
    }

    /// A notice that its own log has overtaken says nothing more.
    fn want(&mut self, wanted: Wanted) {
        if self.wanted.iter().any(|known| wanted.is_before(known)) {
            return;
        }
        let is_same = |known: &Wanted| known.commit == wanted.commit && known.moved == wanted.moved;
        self.wanted.retain(|known| !known.is_before(&wanted) && !is_same(known));
        self.wanted.push(wanted);
        let surplus = self.wanted.len().saturating_sub(LOGS);
        self.wanted.drain(..surplus);
        self.behind_since = None;
    }
}

impl Wanted {
    /// Whether one log put this one before `other`: a notice that was overtaken.
    fn is_before(&self, other: &Self) -> bool {
        precedes(self.moved.as_ref(), other.moved.as_ref())
    }
}
