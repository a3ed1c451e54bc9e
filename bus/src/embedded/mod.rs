//! The bus that needs no broker: a hub inside the server, server-sent events to the agents,
//! reports back over HTTP.
//!
//! The server publishes into the [`Hub`] and answers `GET /bus/events` with the bytes of
//! [`Hub::subscribe`]; an agent [`follow`]s it.

pub mod query;
pub mod sse;

mod ring;

mod follow;
mod hub;

pub use follow::{FollowSettings, follow};
pub use hub::{Hub, HubSettings};
pub use query::SubscriberQuery;

/// Path of the event stream below a server's base URL.
pub const EVENTS_PATH: &str = "bus/events";
/// Path that takes reports below a server's base URL.
pub const REPORTS_PATH: &str = "bus/reports";
/// How often an idle stream shows that it lives.
pub const KEEP_ALIVE: std::time::Duration = std::time::Duration::from_secs(15);

/// Type of the event that says: something was missed, look now. Its data says why.
const RESYNC: &str = "resync";
/// The `Last-Event-ID` is gone, or of another life of the server: always the first event.
const EXPIRED: &str = "expired";
/// The reader was slower than the replay is long.
const LAGGED: &str = "lagged";
