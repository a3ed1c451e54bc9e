//! What is served now: per label one immutable snapshot behind an atomic pointer.
//!
//! **Invariant: a read never waits for a fetch and never sees two commits of one label.** The two
//! exceptions are explicit: the first request for a label never seen, and `X-Config-At-Least`
//! (and strict freshness, which the operator has to write down).

pub mod head_log;
pub mod view;

pub use head_log::{Cause, HeadLog, HeadMove};
pub use view::{Layer, View, ViewError};
