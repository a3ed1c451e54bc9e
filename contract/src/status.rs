//! How a server stands, on one page: the answer of `GET /bus/status`.
//!
//! Bounded however many labels, applications and agents there are: what is left out is counted.

use serde::{Deserialize, Serialize};

use crate::bus_id::BusId;
use crate::delivery::DeliveryReport;
use crate::names::{CommitId, Label};

/// One server at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerStatus {
    /// Its name on the bus.
    pub bus_id: BusId,
    /// Of the program.
    pub version: String,
    /// Its clock, milliseconds since 1970.
    pub time: u64,
    /// Whether requests should come.
    pub ready: bool,
    /// What is served, by repository and label; those with faults first when not all are listed.
    pub heads: Vec<HeadStatus>,
    /// Heads that are not listed.
    pub more_heads: usize,
    /// The bus.
    pub bus: BusStatus,
    /// Who follows, by application; those with faults first when not all are listed.
    pub applications: Vec<ApplicationStatus>,
    /// Applications that are not listed.
    pub more_applications: usize,
    /// After how many milliseconds agents on different configurations count as drifting, and one
    /// that has not answered as overdue.
    pub drift_after: u64,
    /// The newest event and how it goes. Of its agents only those that did not take it, and of
    /// these only some.
    pub round: Option<DeliveryReport>,
}

/// One head that is served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeadStatus {
    /// The remote, without credentials.
    pub repository: String,
    /// The branch, tag or commit.
    pub label: Label,
    /// Where it stands.
    pub commit: CommitId,
    /// Seconds since the remote was last seen to stand there.
    pub age: u64,
    /// Why the remote could not be reached the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Configuration files that cannot be parsed: who reads them is held at an earlier commit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub broken: Vec<String>,
}

/// How the bus stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BusStatus {
    /// `connected`, `connecting`, `waiting`, `blocked`, `misconfigured`, `stopped`; `off` when
    /// nothing is announced.
    pub state: String,
    /// Why it is not connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The same of the connection on which a broker's members are heard; absent without a broker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hearing: Option<String>,
    /// Events that wait for it.
    pub queued: usize,
    /// For how many milliseconds the first of them has waited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest: Option<u64>,
}

/// The agents of one application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationStatus {
    /// Its name; empty for Spring applications, which tell none.
    pub application: String,
    /// Those who are there.
    pub agents: usize,
    /// Of them, those that could not take what they fetched last.
    pub failed: usize,
    /// Of them, those whose application refused it.
    pub vetoed: usize,
    /// Those that were not heard of for long, and did not say that they stop.
    pub away: usize,
    /// What runs, the most frequent first, and only some of it.
    pub commits: Vec<CommitCount>,
    /// For how many milliseconds its agents have run different configurations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<u64>,
}

/// Agents that run one commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CommitCount {
    /// What they run.
    pub commit: CommitId,
    /// How many they are.
    pub agents: usize,
}

impl HeadStatus {
    /// Whether somebody should look at it.
    #[must_use]
    pub fn is_faulty(&self) -> bool {
        self.error.is_some() || !self.broken.is_empty()
    }
}

impl BusStatus {
    /// Whether somebody should look at it.
    #[must_use]
    pub fn is_faulty(&self) -> bool {
        let hears = self.hearing.as_deref().is_none_or(|state| state == "connected");
        !matches!(self.state.as_str(), "connected" | "off") || !hears
    }
}

impl ApplicationStatus {
    /// Whether its agents have differed for longer than `drift_after` milliseconds.
    #[must_use]
    pub fn has_drifted(&self, drift_after: u64) -> bool {
        self.drift.is_some_and(|drift| drift > drift_after)
    }

    /// Whether somebody should look at it.
    #[must_use]
    pub fn is_faulty(&self, drift_after: u64) -> bool {
        self.failed > 0 || self.vetoed > 0 || self.has_drifted(drift_after)
    }
}
