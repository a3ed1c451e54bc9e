//! Where heads come from: a git repository, or directories of the server's disk.

use std::time::Duration;

use async_trait::async_trait;
use contract::CommitId;
use tokio::time::Instant;

use super::head_log::Cause;
use super::heads::{Head, Heads};
use super::outcome::{HeadStatus, RefreshOutcome};

/// One thing that moves on its own.
#[async_trait]
pub(crate) trait Upstream: Send + Sync + std::fmt::Debug {
    fn heads(&self) -> &Heads;

    /// Looks now. Callers that arrive during a look share the next one.
    async fn look(&self, cause: Cause) -> RefreshOutcome;

    /// Whether `wanted` is in the history of `head`.
    async fn holds(&self, head: &Head, wanted: &CommitId) -> bool;

    /// Whether the label of `head` ever stood at `wanted`, as far as is known here.
    async fn passed(&self, head: &Head, wanted: &CommitId) -> bool {
        self.heads().visited(&head.label, wanted).await
    }

    /// Every label there is, followed or not.
    fn labels(&self) -> Vec<String> {
        let followed = self.heads().all().into_iter();
        followed.map(|head| head.label.to_string()).collect()
    }

    /// How the last look went.
    fn contact(&self) -> Contacted;
}

/// What is known about the last looks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Contacted {
    /// Since the last look that succeeded.
    pub(crate) age: Duration,
    /// Why the last look failed; safe for strangers.
    pub(crate) error: Option<String>,
    /// When the last look began all of whose finds are served.
    pub(crate) seen: Option<Instant>,
}

impl Contacted {
    /// How long what is served may have been out of date.
    pub(crate) fn stale(&self) -> Option<Duration> {
        self.error.is_some().then_some(self.age)
    }
}

/// Every head of `upstream`, for health and status.
pub(crate) fn status(upstream: &dyn Upstream) -> Vec<HeadStatus> {
    let contacted = upstream.contact();
    let heads = upstream.heads();
    let describe = |head: std::sync::Arc<Head>| HeadStatus {
        repository: heads.repository.clone(),
        label: head.label.clone(),
        commit: head.commit().clone(),
        age: contacted.age,
        stale: contacted.stale(),
        error: contacted.error.clone(),
        moved: head.moved.clone(),
        broken: head.current.broken.to_vec(),
    };
    heads.all().into_iter().map(describe).collect()
}
