//! Moves events between servers and agents, and reports back.
//!
//! Two transports, one face: [`amqp`] speaks to RabbitMQ, [`embedded`] needs no broker (events go
//! out as server-sent events, reports come in over HTTP). A server publishes through an
//! [`EventTransport`]; an agent follows a [`Link`].
#![warn(missing_docs)]

pub mod link;
pub mod secret;
pub mod subscriber;
pub mod transport;

mod session;
mod supervise;

pub mod amqp;
pub mod embedded;
mod fallback;

#[cfg(feature = "testing")]
pub mod testing;

pub use fallback::fallback;
pub use link::{Link, LinkState, ReportSink, Signal, Traffic, TrafficCounts};
pub use secret::{Credentials, Secret};
pub use subscriber::{Concern, Subscriber};
pub use supervise::Patience;
pub use transport::{EventTransport, Inbound, Receipt, TransportError};
