//! What both ends of config-bus promise each other.
//!
//! The server and the agents never import one another; they meet in these types. Nothing here does
//! IO, keeps time or spawns: a value comes in, a value goes out.
//!
//! Reading order: what is asked for ([`names`], [`at_least`]), what is answered ([`environment`], [`headers`]),
//! who is meant ([`bus_id`], [`destination`], [`scope`]), what travels ([`event`], [`notice`],
//! [`message`]), what ends its receivers ([`shutdown`]) and what comes back ([`report`],
//! [`delivery`], [`latency`], [`status`]).
#![warn(missing_docs)]

pub mod names;

pub mod at_least;
pub mod environment;
pub mod headers;

pub mod ant;
pub mod bus_id;
pub mod destination;
pub mod scope;

pub mod event;
pub mod message;
pub mod notice;
pub mod shutdown;

pub mod delivery;
pub mod latency;
pub mod report;
pub mod status;

pub use at_least::AtLeast;
pub use bus_id::BusId;
pub use delivery::{AgentStatus, DeliveryReport, RefreshReceipt};
pub use destination::Destination;
pub use environment::{Environment, PropertySource, SourceValue};
pub use event::{BusEvent, EventError, EventId, EventKind};
pub use latency::Latency;
pub use message::Message;
pub use names::{AppName, CommitId, Label, NameError, Profile};
pub use notice::{MoveId, Notice};
pub use report::{Outcome, Report};
pub use scope::{Affects, Scope};
pub use shutdown::Shutdown;
pub use status::ServerStatus;
