//! What an agent tells the servers after it acted.

use serde::{Deserialize, Serialize};

use crate::bus_id::BusId;
use crate::event::EventId;
use crate::names::{AppName, CommitId, Label, Profile};

/// Events one report answers at most: the newest.
pub const MAX_EVENTS: usize = 64;

/// How an agent's last round ended. Sent after the values are live (promise 10), never before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Who reports.
    pub bus_id: BusId,
    /// The application it fetches.
    pub application: AppName,
    /// The profiles it fetches, in order.
    pub profiles: Vec<Profile>,
    /// The label it fetches; `None` is the server's default.
    #[serde(default)]
    pub label: Option<Label>,
    /// The events this round answers; empty for a start, a timer or a reconnect.
    #[serde(default)]
    pub events: Vec<EventId>,
    /// The commit that is live now.
    #[serde(default)]
    pub commit: Option<CommitId>,
    /// Digest of the configuration that is live now (the entity tag it was served with).
    #[serde(default)]
    pub digest: Option<String>,
    /// How the round ended.
    pub outcome: Outcome,
    /// Why it failed or was vetoed; safe to show, never a value.
    #[serde(default)]
    pub reason: Option<String>,
    /// From hearing (or waking) to done, in milliseconds.
    pub millis: u64,
    /// How many milliseconds before this was sent a server was asked last. No clock of the agent's
    /// machine is in it. Absent when none was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_ago: Option<u64>,
}

/// How a round ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Outcome {
    /// New values are live.
    Applied,
    /// Looked, and nothing was different.
    Unchanged,
    /// Could not fetch or apply; the old values stay.
    Failed,
    /// The application refused the new values; the old ones stay.
    Vetoed,
    /// The agent stops in good order; it is no longer expected to answer.
    Stopped,
}
