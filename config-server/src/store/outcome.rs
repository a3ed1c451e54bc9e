//! What a look at the remotes found, and how the heads stand.

use std::sync::Arc;
use std::time::Duration;

use contract::{CommitId, Label, MoveId};

/// What one look found, over all repositories.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RefreshOutcome {
    /// Every followed head as it stands now.
    pub heads: Vec<HeadOutcome>,
    /// The repositories that could not be looked at; their heads stay where they were.
    pub failures: Vec<RefreshFailure>,
}

/// One head after a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadOutcome {
    /// The remote, without credentials.
    pub repository: Arc<str>,
    pub label: Label,
    pub commit: CommitId,
    /// Where it stood before this look, when the look moved it.
    pub previous: Option<CommitId>,
    /// The entry of the log; `None` while it could not be written.
    pub moved: Option<MoveId>,
}

/// One repository that could not be looked at. The message is safe for strangers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshFailure {
    pub repository: Arc<str>,
    pub message: String,
}

/// One head, for health and status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadStatus {
    pub repository: Arc<str>,
    pub label: Label,
    pub commit: CommitId,
    /// Since the remote was last seen to stand here.
    pub age: Duration,
    /// How long the remote has not been reachable.
    pub stale: Option<Duration>,
    /// Why it is not reachable; safe for strangers.
    pub error: Option<String>,
    pub moved: Option<MoveId>,
    /// Configuration files of the head that cannot be parsed.
    pub broken: Vec<Arc<str>>,
}

impl RefreshOutcome {
    /// Adds what another repository's look found.
    pub(super) fn join(&mut self, other: Self) {
        self.heads.extend(other.heads);
        self.failures.extend(other.failures);
    }

    /// Whether any head moved.
    #[must_use]
    pub fn moved(&self) -> bool {
        self.heads.iter().any(|head| head.previous.is_some())
    }
}
