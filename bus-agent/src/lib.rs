//! Makes one process follow the configuration: hear, reconcile, fetch, apply, remember, report.
//!
//! Reading order: what is followed ([`follows`], [`revision`]), when to look ([`reconcile`]), the
//! look ([`fetch`]), what it means ([`configuration`]), who uses it ([`apply`]), what is kept
//! ([`last_known_good`]), and the task that ties them together ([`agent`]).
#![warn(missing_docs)]

pub mod follows;
pub mod revision;

pub mod reconcile;

pub mod fetch;

pub mod configuration;

pub mod apply;

pub mod last_known_good;

pub mod agent;

pub mod atomic_file;
#[cfg(feature = "testing")]
pub mod testing;

mod causes;
mod digest;

pub use agent::{Agent, AgentBuilder, AgentState, BrokerUrlError, Bus, LiveSource, StartError};
pub use apply::{Applier, Veto};
pub use configuration::{Configuration, Entry, KeysChanged, Origin, Variables};
pub use fetch::Login;
pub use follows::Follows;
pub use revision::Revision;
