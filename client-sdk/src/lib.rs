#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod builder;
mod client;
mod watch;

mod listeners;
mod registry;
mod slot;

mod bind;
mod data_size;

mod error;

pub use bind::BindError;
pub use builder::{Bus, ConfigClientBuilder};
pub use bus_agent::agent::{AgentState, Live, LiveSource, Problem};
pub use bus_agent::{Configuration, Entry, KeysChanged, Origin, Revision};
pub use client::ConfigClient;
pub use data_size::DataSize;
pub use error::{Error, ErrorKind};
pub use listeners::{Change, Listener};
pub use watch::{Closed, Current, Watch};
