//! Development only. Real things for tests: git repositories, a RabbitMQ node of one's own, a proxy
//! that breaks connections. Depends on no crate of the workspace.

mod eventually;
mod group;

pub mod broker;
pub mod git;
pub mod proxy;

pub use broker::{Broker, Rights};
pub use eventually::eventually;
pub use git::GitFixture;
pub use proxy::{FaultProxy, Weather};
