//! End to end: everything together, as its users run it.

mod structure;
