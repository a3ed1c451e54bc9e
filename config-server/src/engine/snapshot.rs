//! One commit (or one state of native directories), ready to be read.

use std::sync::Arc;

use contract::CommitId;

use super::tree::Directory;

/// An immutable state of one repository.
#[derive(Debug)]
pub struct Snapshot {
    /// The commit; for native directories a digest of their content in its place.
    pub commit: CommitId,
    /// Seconds since 1970 at which the commit was made; `Last-Modified` of plain files.
    pub committed_at: i64,
    /// The work tree's root.
    pub root: Arc<Directory>,
}
