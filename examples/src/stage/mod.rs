//! Everything real, small, and on this machine: what the end-to-end tests and the fault table play on.
//!
//! - [`program`]: the programs of this workspace
//! - [`server`]: a config server in a process of its own
//! - [`configurations`]: the repository, and every commit its branch has stood at
//! - [`history`]: what an agent made live, and whether it kept the promises
//! - [`follower`], [`sidecar`]: agents that write their history down, in this process and beside it

pub mod program;

pub mod server;

pub mod configurations;
pub mod history;

pub mod follower;
pub mod sidecar;

use std::time::Duration;

pub use configurations::Configurations;
pub use follower::Follower;
pub use history::{Applied, Stood, Violation};
pub use server::Server;
pub use sidecar::Sidecar;

/// Bounds every wait: far more than anything takes.
pub const DEADLINE: Duration = Duration::from_secs(60);
