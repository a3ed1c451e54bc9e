//! The agent's side of a transport: what it hears, how the connection stands, where reports go.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use contract::{Message, Report};
use tokio::sync::{mpsc, watch};

use crate::subscriber::Concern;
use crate::transport::TransportError;

/// One agent's connection to the bus. Reconnection is inside and never gives up; dropping the link
/// ends it.
#[derive(Debug)]
pub struct Link {
    /// What is heard, in order. Bounded: a slow reader coalesces, it does not lose.
    pub signals: mpsc::Receiver<Signal>,
    /// How the connection stands.
    pub state: watch::Receiver<LinkState>,
    /// Whether it goes another way than the one that was named, for that is away.
    pub detour: watch::Receiver<bool>,
    /// Where reports go.
    pub reports: Box<dyn ReportSink>,
    /// How much came, and what became of it.
    pub traffic: Arc<Traffic>,
}

/// Counts what a link heard. Only what is meant for the agent becomes a [`Signal`].
#[derive(Debug, Default)]
pub struct Traffic {
    delivered: AtomicU64,
    elsewhere: AtomicU64,
    out_of_scope: AtomicU64,
    unknown: AtomicU64,
    malformed: AtomicU64,
}

/// [`Traffic`] at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TrafficCounts {
    /// Meant for this agent.
    pub delivered: u64,
    /// Meant for others.
    pub elsewhere: u64,
    /// Addressed, but about nothing this agent reads.
    pub out_of_scope: u64,
    /// Of a type this version does not know.
    pub unknown: u64,
    /// No event at all.
    pub malformed: u64,
}

/// What an agent hears.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Signal {
    /// (Re)connected: anything may have been missed, so look now.
    Connected,
    /// An event that is meant for this agent.
    Received(Message),
    /// Something arrived that is no event; counted, acknowledged and dropped.
    Rejected(String),
    /// The connection is gone; it is being made again.
    Lost(String),
}

/// How a connection stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkState {
    /// Trying, for the given attempt.
    Connecting {
        /// Counts from 1 since the last good connection.
        attempt: u32,
    },
    /// Connected.
    Connected,
    /// Connected, but the broker takes no messages now (memory or disk alarm).
    Blocked {
        /// The broker's reason.
        reason: String,
    },
    /// Waiting before the next attempt.
    Waiting {
        /// Why the last attempt or connection ended.
        reason: String,
        /// How long.
        delay: Duration,
    },
    /// Refused for a reason that stays until a person changes something (permissions, another
    /// type of exchange, a bad certificate); tried again now and then.
    Misconfigured {
        /// What is wrong.
        reason: String,
        /// How long until the next attempt.
        delay: Duration,
    },
    /// Stopped on purpose.
    Stopped,
}

/// Takes reports to the servers.
#[async_trait]
pub trait ReportSink: Send + Sync + std::fmt::Debug {
    /// Sends one report.
    ///
    /// # Errors
    /// [`TransportError`] when no server has it. After [`TransportError::Refused`] it never will;
    /// after the others it is the caller's to send again.
    async fn report(&self, report: &Report) -> Result<(), TransportError>;
}

impl Link {
    /// A link over `signals` and `state`, for a transport of one's own.
    #[must_use]
    pub fn new(
        signals: mpsc::Receiver<Signal>,
        state: watch::Receiver<LinkState>,
        reports: Box<dyn ReportSink>,
    ) -> Self {
        Self {
            signals,
            state,
            detour: watch::channel(false).1,
            reports,
            traffic: Arc::default(),
        }
    }
}

impl Traffic {
    /// The counts now.
    #[must_use]
    pub fn counts(&self) -> TrafficCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        TrafficCounts {
            delivered: read(&self.delivered),
            elsewhere: read(&self.elsewhere),
            out_of_scope: read(&self.out_of_scope),
            unknown: read(&self.unknown),
            malformed: read(&self.malformed),
        }
    }

    pub(crate) fn count(&self, concern: Concern) {
        let counter = match concern {
            Concern::Addressed => &self.delivered,
            Concern::Elsewhere => &self.elsewhere,
            Concern::OutOfScope => &self.out_of_scope,
            Concern::Unknown => &self.unknown,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_malformed(&self) {
        self.malformed.fetch_add(1, Ordering::Relaxed);
    }
}

impl LinkState {
    /// Whether messages pass.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        matches!(self, Self::Connected)
    }
}
