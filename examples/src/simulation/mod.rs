//! A deterministic simulation of servers, bus and agents: one seed, one history, the same every time.
//!
//! The product's own state machines decide: the journal, the heads, the publisher's plan, the delivery
//! reports, the resolving of files and the gate before them, the agents' reconcilers. Sockets, git,
//! disks and clocks are played by a [`world`] that loses, repeats, delays and reorders what it carries
//! and ends whoever runs. Ten checkers watch, one for each promise; what is true they take from the
//! played git [`remote`] and not from the product.
//!
//! - [`scenario`]: what kind of run a seed is; [`agenda`]: what happens next
//! - [`remote`], [`server`], [`agent`]: who takes part; [`sight`]: what the engine makes of a commit
//! - [`world`]: what happens to them
//! - [`fact`]: what is seen of it; [`promises`]: what must be true of that
//! - [`broken`]: defects put in on purpose, to test the checkers
//! - [`campaign`]: many seeds

pub mod agenda;
pub mod scenario;

pub mod remote;

pub mod sight;

pub mod agent;
pub mod server;

pub mod world;

pub mod fact;
pub mod promises;

pub mod broken;
pub mod campaign;

pub use broken::Broken;
pub use campaign::{Campaign, Totals};
pub use promises::Violation;
pub use world::Tally;

/// Plays one seed, with a defect when `broken` names one.
#[must_use]
pub fn play(seed: u64, broken: Option<Broken>) -> Tally {
    world::World::new(seed, broken, false).play()
}

/// Plays one seed and writes down every step.
#[must_use]
pub fn trace(seed: u64, broken: Option<Broken>) -> Tally {
    world::World::new(seed, broken, true).play()
}
