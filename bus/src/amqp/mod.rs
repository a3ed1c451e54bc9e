//! RabbitMQ.
//!
//! The server [`serve`]s: it declares the [`topology`], publishes with confirms and hears what
//! others say. An agent [`follow`]s: it declares nothing but a queue of its own, and needs no more
//! rights than that. Both keep their connections by the supervisor; the automatic recovery of the
//! client library stays off, because it hides the gap in which events were missed.
//!
//! ```text
//!   server ──▶ config-bus (fanout) ◀──▶ springCloudBus (topic) ◀──▶ Spring applications
//!                  │  └──▶ queue of each server                        (bridge: one copy per queue)
//!                  └─────▶ queue of each agent ──▶ config-bus.reports (fanout) ──▶ queues of the servers
//! ```

mod settings;
mod topology;

mod acks;
mod connection;
mod delivery;
mod dial;
mod intake;
mod outlet;
mod publisher;
mod tls;

mod follow;
mod serve;

pub use follow::follow;
pub use serve::{Serving, serve};
pub use settings::{Address, AmqpSettings, Checks, ClientIdentity, TlsSettings};
