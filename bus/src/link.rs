//! The agent's side of a transport: what it hears, how the connection stands, where reports go.

use std::time::Duration;

use async_trait::async_trait;
use contract::{Message, Report};
use tokio::sync::{mpsc, watch};

use crate::transport::TransportError;

/// One agent's connection to the bus. Reconnection is inside and never gives up; dropping the link
/// ends it.
#[derive(Debug)]
pub struct Link {
    /// What is heard, in order. Bounded: a slow reader coalesces, it does not lose.
    pub signals: mpsc::Receiver<Signal>,
    /// How the connection stands.
    pub state: watch::Receiver<LinkState>,
    /// Where reports go.
    pub reports: Box<dyn ReportSink>,
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
    /// Stopped on purpose.
    Stopped,
}

/// Takes reports to the servers.
#[async_trait]
pub trait ReportSink: Send + Sync + std::fmt::Debug {
    /// Sends one report.
    ///
    /// # Errors
    /// [`TransportError`] when it could not be handed over; a report is not worth keeping, the
    /// next one says more.
    async fn report(&self, report: &Report) -> Result<(), TransportError>;
}

impl LinkState {
    /// Whether messages pass.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        matches!(self, Self::Connected)
    }
}
