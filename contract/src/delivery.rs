//! What a server tells about a refresh: that it was taken, and how it went.

use serde::{Deserialize, Serialize};

use crate::bus_id::BusId;
use crate::destination::Destination;
use crate::event::EventId;
use crate::latency::Latency;
use crate::names::{CommitId, Label};
use crate::report::Outcome;
use crate::scope::Affects;

/// The answer of `POST /bus/refresh` (202).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefreshReceipt {
    /// The event that was made.
    pub id: EventId,
    /// Whether the bus has it, or it waits in the outbox.
    pub state: EventState,
    /// Where the label's head stands.
    pub commit: Option<CommitId>,
    /// Where it stood before, when this call moved it.
    pub previous: Option<CommitId>,
    /// To whom the event goes.
    pub destination: Destination,
    /// Whom the change touches.
    pub affects: Affects,
    /// Path of the delivery report.
    pub report: String,
    /// Repositories that could not be looked at, and why: what is served of them may be old.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<String>,
}

/// How far an event has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum EventState {
    /// In the outbox; it leaves when the bus takes it.
    Queued,
    /// The bus confirmed it.
    Published,
    /// It waited too long and was given up.
    Expired,
}

/// One refresh and what became of it: `GET /bus/refreshes/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryReport {
    /// The event.
    pub id: EventId,
    /// How far the event itself has come.
    pub state: EventState,
    /// What caused it: `webhook`, `operator`, `watch`, `tick`, `start`, `peer`.
    pub cause: String,
    /// The label that moved.
    pub label: Option<Label>,
    /// Where its head stands.
    pub commit: Option<CommitId>,
    /// Where it stood.
    pub previous: Option<CommitId>,
    /// To whom the event went.
    pub destination: Destination,
    /// Whom the change touches.
    pub affects: Affects,
    /// When it was made, milliseconds since 1970.
    pub created: u64,
    /// When the bus confirmed it, milliseconds since 1970.
    pub published: Option<u64>,
    /// Members that are expected to answer or did.
    pub agents: Vec<AgentDelivery>,
    /// How many answered how.
    pub summary: Summary,
    /// How long the answers took; absent while nobody answered, and where the agents are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
}

/// What one member answered to one event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AgentDelivery {
    /// Who.
    pub bus_id: BusId,
    /// How it ended; `None` while it is silent.
    pub outcome: Option<Outcome>,
    /// What it runs now; `None` for a Spring application, whose acks carry no version.
    pub commit: Option<CommitId>,
    /// Digest of what it runs.
    pub digest: Option<String>,
    /// Milliseconds from the event's making to the answer's arrival.
    pub millis: Option<u64>,
    /// Why it failed or was vetoed.
    pub reason: Option<String>,
}

/// Counts of a [`DeliveryReport`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// New values are live.
    pub applied: usize,
    /// Nothing was different.
    pub unchanged: usize,
    /// Could not.
    pub failed: usize,
    /// Would not.
    pub vetoed: usize,
    /// Expected, but not heard of yet.
    pub silent: usize,
}

/// One member as the server knows it: `GET /bus/agents`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AgentStatus {
    /// Who.
    pub bus_id: BusId,
    /// The application it fetches; empty for a Spring application.
    pub application: String,
    /// The profiles it fetches.
    pub profiles: Vec<String>,
    /// The label it fetches.
    pub label: Option<String>,
    /// What it runs.
    pub commit: Option<CommitId>,
    /// Digest of what it runs.
    pub digest: Option<String>,
    /// How its last round ended.
    pub outcome: Outcome,
    /// Why, when it did not end well.
    pub reason: Option<String>,
    /// When it was last heard of, milliseconds since 1970.
    pub last_seen: u64,
}

impl DeliveryReport {
    /// Whether everybody expected has answered.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.summary.silent == 0
    }
}

impl Summary {
    /// Counts `agents`.
    #[must_use]
    pub fn of(agents: &[AgentDelivery]) -> Self {
        let mut summary = Self::default();
        for agent in agents {
            match agent.outcome {
                Some(Outcome::Applied) => summary.applied += 1,
                Some(Outcome::Unchanged | Outcome::Stopped) => summary.unchanged += 1,
                Some(Outcome::Failed) => summary.failed += 1,
                Some(Outcome::Vetoed) => summary.vetoed += 1,
                None => summary.silent += 1,
            }
        }
        summary
    }
}
