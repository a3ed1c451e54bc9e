//! The configuration server, a whole flow at a time.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod recorded;

mod change;
mod conformance;
mod corpus;
mod engine;
mod git;
mod golden;
mod serving;
