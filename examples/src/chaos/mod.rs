//! The fault table: real faults in a real system, and how long it takes to be whole again.
//!
//! - [`scene`]: server, broker, remote and agents, and the roads between them that faults close
//! - [`broker`], [`processes`], [`git`], [`servers`], [`disk`]: the faults, each one small story
//! - [`trial`]: one run of one fault: is it whole again, and were the promises kept
//! - [`table`]: many runs added up

pub mod scene;

pub mod broker;
pub mod disk;
pub mod git;
pub mod processes;
pub mod servers;

pub mod trial;

pub mod table;

use std::future::Future;
use std::pin::Pin;

use anyhow::Result;
use tokio::time::Instant;

pub use scene::{Needs, Scene};
pub use table::Row;
pub use trial::{Outcome, try_once};

/// What a fault does to a scene. It ends when the fault was lifted, or with the commit when the
/// system has to get along with the fault; from the instant it tells, convergence is measured.
pub type Story = for<'s> fn(&'s mut Scene) -> Pin<Box<dyn Future<Output = Result<Instant>> + 's>>;

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// What the scene must have for it.
    pub needs: Needs,
    /// How it goes.
    pub story: Story,
}

/// Every fault, in the order of the table.
pub fn faults() -> impl Iterator<Item = &'static Fault> {
    let groups = [
        broker::FAULTS,
        processes::FAULTS,
        git::FAULTS,
        servers::FAULTS,
        disk::FAULTS,
    ];
    groups.into_iter().flatten()
}
