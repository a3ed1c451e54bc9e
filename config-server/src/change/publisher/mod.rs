//! Takes events out of the outbox and onto the bus, in order, until the bus has confirmed them.
//!
//! [`plan`] decides (pure), [`worker`] acts. The worker is told nothing but to look: what is to be
//! done it reads from the journal, so a crash between any two steps costs at most a repetition, and
//! a repeated event has the id it had before.

pub mod plan;
pub mod worker;

pub use worker::{Bell, Progress, Publisher};

#[cfg(test)]
mod tests;
