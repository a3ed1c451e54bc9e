//! The one file of state: head moves, the outbox, what agents answered.
//!
//! A head move and its event are written in one transaction, so there is no moment at which the one
//! is known and the other is not. SQLite in WAL mode with full sync; one named thread owns the
//! connection, everybody else sends it work through a bounded queue. The file belongs to one server:
//! it is locked while open.

mod error;
mod schema;
mod thread;

mod moves;
mod outbox;

mod answers;

pub use answers::{AgentRow, AnswerRow};
pub use error::JournalError;
pub use moves::{Entry, Recorded};
pub use outbox::{Origin, StoredEvent};
pub use thread::Journal;

#[cfg(test)]
mod tests;
