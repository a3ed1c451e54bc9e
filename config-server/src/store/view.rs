//! What one request reads from: chosen once, then never changes under it.

use std::sync::Arc;
use std::time::Duration;

use contract::{CommitId, Label, MoveId};
use thiserror::Error;

use crate::engine::resolve::Layout;
use crate::engine::snapshot::Snapshot;
use crate::git::Loaded;

/// Everything one request may see.
#[derive(Debug, Clone)]
pub struct View {
    /// Highest precedence first: one per label of `a,b`, and per member of a composite.
    pub layers: Vec<Layer>,
    /// The `version` of the answer (contract 1.3): the commit, comma-joined for several labels,
    /// `None` for a composite.
    pub version: Option<String>,
    /// The `state` of the answer: `""` for one git repository, else `None`.
    pub state: Option<&'static str>,
    /// How long the remote has not been reachable.
    pub stale: Option<Duration>,
    /// The move its head stands at, when there is just one head.
    pub moved: Option<MoveId>,
    /// Whose head that is: the default label when none was asked for, `master` where `main` was
    /// guessed, `main` where `refs/heads/main` was spelt out.
    pub label: Option<Label>,
}

/// One snapshot and how to read it.
#[derive(Debug, Clone)]
pub struct Layer {
    pub snapshot: Arc<Snapshot>,
    /// Earlier states of the same head, newest first: what an application keeps that cannot read
    /// `snapshot` (promise 7).
    pub earlier: Arc<[Loaded]>,
    /// The newest of all these that have the fewest broken files: what everybody gets when nobody
    /// shall get a broken one.
    pub soundest: Arc<Snapshot>,
    pub layout: Layout,
    /// The label's own text, for `{label}` in search paths.
    pub label: Arc<str>,
}

/// Why there is nothing to read from. Messages are safe for strangers: no paths, no credentials.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ViewError {
    /// Neither branch, tag nor commit.
    #[error("no branch, tag or commit is called `{0}`")]
    UnknownLabel(String),
    /// The repository could not be reached and nothing of it is known yet.
    #[error("the repository cannot be read: {0}")]
    Unreachable(String),
    /// `X-Config-At-Least` names what this server is not surely past, after looking.
    #[error("{} is not here yet", named(.wanted.as_ref()))]
    Behind {
        wanted: Option<CommitId>,
        retry_after: Duration,
    },
    /// The request cannot be turned into a repository address or search path.
    #[error("{0}")]
    Refused(String),
}

fn named(commit: Option<&CommitId>) -> String {
    commit.map_or_else(
        || "what the client knows".to_owned(),
        |commit| format!("commit {commit}"),
    )
}
