//! Decides when to look, what to ask for, and what to do with the answer.
//!
//! Pure: an [`Input`] and the time go in, [`Action`]s come out. Nothing that is heard says what to
//! apply; it only makes the state *dirty*. One round runs at a time (fetch, then apply), at most
//! one more is pending, and the cursor moves after the apply, never after the hearing: what lands
//! during a round leads to exactly one more.
//!
//! Times are durations since the agent started.

mod pace;
mod pending;
mod reconciler;
mod seen;

use std::time::Duration;

use contract::{AtLeast, EventId, Label, Message, MoveId, Outcome, Shutdown};
use indexmap::IndexMap;

pub use pace::Pace;
pub use reconciler::Reconciler;

use crate::apply::Veto;
use crate::revision::Revision;

/// What happened.
#[derive(Debug, Clone)]
pub enum Input {
    /// The bus is connected, for the first time or again: anything may have been missed.
    Connected,
    /// The bus is gone.
    Lost,
    /// An event addressed to this agent.
    Heard(Message),
    /// The time of [`Reconciler::wake_at`] has come.
    Due,
    /// An operator wants a look now.
    Asked,
    /// What lies on top of the server's part changed; this is the whole's name now.
    Local(Revision),
    /// The fetch of the running round ended.
    Looked(Looked),
    /// The apply of the running round ended.
    Applied(Result<(), Veto>),
}

/// How a fetch ended.
#[derive(Debug, Clone)]
pub enum Looked {
    /// The server's part is the one that was asked with.
    NotModified {
        /// The version that now carries it.
        version: Option<String>,
        /// The head move that now carries it.
        moved: Option<MoveId>,
        /// The label that was served, when the server says so.
        label: Option<Label>,
    },
    /// A configuration arrived.
    Changed(Arrived),
    /// Nothing arrived.
    Failed(Failed),
}

/// Names the configuration that arrived.
#[derive(Debug, Clone)]
pub struct Arrived {
    /// What it is.
    pub revision: Revision,
    /// The label that was served, when the server says so.
    pub label: Option<Label>,
    /// Whether the server could not reach its remote.
    pub stale: bool,
}

/// Why nothing arrived.
#[derive(Debug, Clone)]
pub struct Failed {
    /// For people; safe to show.
    pub reason: String,
    /// The server's wish when to come back.
    pub retry_after: Option<Duration>,
    /// Whether the server said it is behind what was asked for.
    pub behind: bool,
}

/// What to do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Fetch, then feed [`Input::Looked`].
    Fetch(Ask),
    /// Make the offered configuration with this digest live, then feed [`Input::Applied`].
    Apply(String),
    /// Remember what is live.
    Persist,
    /// Set these values on top until the process ends (an environment-change event).
    Pin(IndexMap<String, Option<String>>),
    /// Tell the servers.
    Report(Ended),
    /// A shutdown event came: ask the owner to end, or say why not.
    Shutdown {
        /// The event.
        event: EventId,
        /// The bus id of who sent it, as it says.
        origin: String,
        /// Whether the owner is to end.
        verdict: Shutdown,
    },
}

/// What to ask the server for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The answer must not be older than any of these.
    pub at_least: Vec<AtLeast>,
    /// The entity tag of what is live.
    pub etag: Option<String>,
}

/// How a round ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The events it answers.
    pub events: Vec<EventId>,
    /// How.
    pub outcome: Outcome,
    /// Why it did not end well; safe to show.
    pub reason: Option<String>,
    /// From hearing (or waking) to now.
    pub took: Duration,
    /// How long to wait before the servers are told: many agents do not all talk at once.
    pub report_in: Duration,
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
