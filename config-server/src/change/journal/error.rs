//! Why the journal cannot do what it was asked to.

use rusqlite::ErrorCode;
use thiserror::Error;

/// What failed. Nothing that was asked for is half done: a transaction is whole or absent.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The file cannot be opened or is no journal.
    #[error("the journal cannot be opened")]
    Open(#[source] rusqlite::Error),
    /// The directory of the file cannot be made, or the thread cannot be started.
    #[error("the journal cannot be started")]
    Start(#[source] std::io::Error),
    /// Another process has the file open.
    #[error("the journal is in use by another process")]
    InUse(#[source] rusqlite::Error),
    /// A later version of this program has written the file.
    #[error("the journal has schema {found}, and this version knows {known}")]
    Newer {
        /// As the file says.
        found: usize,
        /// The newest this version knows.
        known: usize,
    },
    /// There is no room left for it.
    #[error("the journal cannot {operation}: the disk is full")]
    Full {
        /// What was to be done.
        operation: &'static str,
        #[source]
        source: rusqlite::Error,
    },
    /// Anything else SQLite says.
    #[error("the journal cannot {operation}")]
    Failed {
        /// What was to be done.
        operation: &'static str,
        #[source]
        source: rusqlite::Error,
    },
    /// The server is stopping.
    #[error("the journal is closed")]
    Closed,
}

impl JournalError {
    pub(super) fn opening(source: rusqlite::Error) -> Self {
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::InUse(source),
            _ => Self::Open(source),
        }
    }

    pub(super) fn doing(operation: &'static str, source: rusqlite::Error) -> Self {
        match source.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full { operation, source },
            _ => Self::Failed { operation, source },
        }
    }
}
