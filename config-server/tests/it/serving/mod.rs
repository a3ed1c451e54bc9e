//! The server as its clients see it, beyond what is recorded.

mod harness;

mod compared;
mod ended;
mod guarded;
mod heard;
mod held;
mod hostile;
mod observed;
mod shown;
mod stock;
mod transported;
mod validated;
