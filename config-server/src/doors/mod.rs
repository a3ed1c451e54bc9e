//! What makes the server look at git before the next tick.
//!
//! A door wakes the refresher and tells it nothing: what changed, the refresher sees for itself.
//! Only then is anything published (promise 1: swap before event).

pub mod monitor;
pub mod operator;
