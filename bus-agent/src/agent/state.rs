//! How an agent stands, for health checks and people.

use std::time::{Duration, SystemTime};

use contract::Outcome;

use crate::revision::Revision;

/// Everything about an agent that may be shown. Holds no value of the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AgentState {
    /// Whether the bus is connected; without a bus, never.
    pub connected: bool,
    /// Since when it is, or is not.
    pub since: Option<SystemTime>,
    /// Whether changes are heard of through the servers, for the broker is away.
    pub detour: bool,
    /// When the last event for this agent was heard.
    pub last_notice: Option<SystemTime>,
    /// When a shutdown event asked this process to end ([`AgentBuilder::shutdown_events`]).
    ///
    /// [`AgentBuilder::shutdown_events`]: super::AgentBuilder::shutdown_events
    pub shutdown_asked: Option<SystemTime>,
    /// What is live.
    pub live: Option<Live>,
    /// When the server last said that what is live is current.
    pub confirmed: Option<SystemTime>,
    /// A newer commit that the server holds back for this application.
    pub held: Option<String>,
    /// For how long the server had not reached its remote when it answered last.
    pub remote_stale: Option<Duration>,
    /// How the last round ended.
    pub outcome: Option<Outcome>,
    /// What went wrong last; gone once a round ends well.
    pub last_error: Option<Problem>,
    /// Why what is live could not be remembered: a restart without a server would start from
    /// something older. Gone once it could.
    pub unremembered: Option<Problem>,
    /// Failed rounds in a row.
    pub failures: u32,
    /// Rounds that made something live since the start.
    pub applied_total: u64,
    /// Requests for the configuration since the start.
    pub fetches_total: u64,
    /// Messages of the bus that were no events, dropped since the start.
    pub rejected_total: u64,
}

/// What is live.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Live {
    /// What names it.
    pub revision: Revision,
    /// Where it came from.
    pub source: LiveSource,
    /// Since when it is live in this process.
    pub since: SystemTime,
}

/// Where a live configuration came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LiveSource {
    /// A server.
    Server,
    /// The last known good file, because no server answered.
    LastKnownGood,
    /// Nothing but what lies on top, because no server answered and nothing was remembered.
    Local,
}

/// Something that went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// What; safe to show.
    pub text: String,
    /// When.
    pub at: SystemTime,
}

impl AgentState {
    /// How long ago the server last said that what is live is current; for a last known good, since
    /// it was written. `None` while nothing from a server is live.
    #[must_use]
    pub fn age(&self, now: SystemTime) -> Option<Duration> {
        Some(now.duration_since(self.confirmed?).unwrap_or_default())
    }
}
