//! Development only. Real things for tests: git repositories, a RabbitMQ node of one's own, a proxy
//! that breaks connections and one that opens tunnels, processes that end with the test, a disk that
//! can be full. Depends on no crate of the workspace.

mod eventually;
mod group;
mod ports;

pub mod broker;
pub mod disk;
pub mod git;
pub mod proxy;
pub mod tunnels;

pub use broker::{Broker, Rights};
pub use disk::SmallDisk;
pub use eventually::{eventually, within};
pub use git::GitFixture;
pub use group::Group;
pub use ports::free_port;
pub use proxy::{FaultProxy, Weather};
pub use tunnels::TunnelProxy;
