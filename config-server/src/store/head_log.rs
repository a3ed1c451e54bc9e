//! Where head moves are written down. The store needs only this of the change side.

use std::sync::Arc;

use async_trait::async_trait;
use contract::{CommitId, Label, MoveId};
use serde::{Deserialize, Serialize};

use crate::engine::resolve::Layout;
use crate::engine::snapshot::Snapshot;

pub mod memory;

/// What made the server look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    Start,
    Tick,
    Watch,
    Webhook,
    Operator,
    /// A request: strict freshness, an unknown label, or `X-Config-At-Least`.
    Read,
    /// Another server's event.
    Peer,
}

impl Cause {
    /// The word for it in reports and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Tick => "tick",
            Self::Watch => "watch",
            Self::Webhook => "webhook",
            Self::Operator => "operator",
            Self::Read => "read",
            Self::Peer => "peer",
        }
    }
}

/// The head of a label went from one commit to another. The store serves `to` already
/// (promise 1: swap before event).
#[derive(Debug, Clone)]
pub struct HeadMove {
    /// The remote, without credentials: what names the repository in ids and reports.
    pub repository: Arc<str>,
    pub label: Label,
    /// `None` on the very first sight of the label.
    pub from: Option<Arc<Snapshot>>,
    pub to: Arc<Snapshot>,
    pub layout: Layout,
    pub cause: Cause,
}

/// The log of head moves, which outlives the process.
#[async_trait]
pub trait HeadLog: Send + Sync + std::fmt::Debug {
    /// Where the head of `label` stood when it was last written down. After a crash between swap
    /// and record this differs from the mirror's head, and the move is recorded then.
    async fn last(&self, repository: &str, label: &Label) -> Option<(CommitId, MoveId)>;

    /// Writes the move and its event in one transaction and wakes the publisher. The first sight of
    /// a label (`from: None`) is written without an event.
    async fn record(&self, moved: HeadMove) -> Result<MoveId, HeadLogError>;

    /// The labels of the repository that were followed before, the last moved first, not all when
    /// they are many. Agents of theirs may be waiting for news that nobody here asks for.
    async fn labels(&self, repository: &str) -> Vec<Label>;

    /// Whether the head of `label` ever stood at `commit`.
    async fn visited(&self, repository: &str, label: &Label, commit: &CommitId) -> bool;
}

/// The move could not be written down; it is tried again at the next look.
#[derive(Debug, thiserror::Error)]
#[error("the head-move log cannot be written")]
pub struct HeadLogError(#[source] pub Box<dyn std::error::Error + Send + Sync>);
