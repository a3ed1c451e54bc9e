//! The configuration server, a whole flow at a time.

mod engine;
