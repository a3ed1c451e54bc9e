//! The server's side of a transport.

use async_trait::async_trait;
use contract::{Message, Report};
use thiserror::Error;
use tokio::sync::watch;

use crate::link::LinkState;

/// Hands messages to the bus.
#[async_trait]
pub trait EventTransport: Send + Sync + std::fmt::Debug {
    /// Publishes and waits until the bus has taken responsibility (a broker's confirm). Safe to
    /// repeat with the same event id: receivers recognise it.
    ///
    /// # Errors
    /// [`TransportError`]; the message stays the caller's.
    async fn publish(&self, message: &Message) -> Result<Receipt, TransportError>;

    /// How the connection stands, as it changes.
    fn state(&self) -> watch::Receiver<LinkState>;
}

/// The bus has the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// Whether anybody was there to hear it (a status, not an error).
    pub heard: bool,
}

/// Why a message was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TransportError {
    /// There is no connection right now.
    #[error("the bus is not connected: {0}")]
    NotConnected(String),
    /// The bus did not confirm in time.
    #[error("the bus did not confirm in time")]
    TimedOut,
    /// The bus refused the message.
    #[error("the bus refused the message: {0}")]
    Refused(String),
}

/// What reaches a server from the bus.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Inbound {
    /// (Re)connected: anything may have been missed.
    Connected,
    /// An event of somebody else: another server, or a Spring application (also acks).
    Event(Message),
    /// A report of an agent.
    Report(Report),
}
