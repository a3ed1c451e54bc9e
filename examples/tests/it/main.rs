//! End to end: everything together, as its users run it.

mod harness;

mod chaos;
mod faults;
mod fleet;
mod flow;
mod missed;
mod servers;
mod shutdown;

mod simulation;

mod structure;
