#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

pub mod follows;
pub mod revision;

pub mod reconcile;

pub mod fetch;

pub mod configuration;

pub mod apply;

pub mod last_known_good;

pub mod agent;

#[cfg(feature = "sidecar")]
pub mod sidecar;

pub mod atomic_file;
pub mod duration;
#[cfg(feature = "testing")]
pub mod testing;

mod causes;
mod digest;

pub use agent::{Agent, AgentBuilder, AgentState, BrokerUrlError, Bus, LiveSource, StartError, WithoutServer};
pub use apply::{Applier, Veto};
pub use configuration::{Configuration, Entry, KeysChanged, Origin, Variables};
pub use fetch::Login;
pub use follows::Follows;
pub use revision::Revision;
