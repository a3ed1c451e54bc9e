//! The files of one commit, as an immutable tree whose parts are shared between commits.
//!
//! A directory is named by the id git gives its content, so two snapshots that differ in one file
//! share everything but the path to it: building the second, and comparing both, costs the change
//! and not the repository.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use super::document::{Fault, Format, Limits};
use super::resolve::Prepared;

mod builder;
mod path;
mod place;

pub use builder::TreeBuilder;
pub use path::{PathError, TreePath};
pub use place::{FoundFile, Place, TooManyPlaces};

/// Names content: a git object id, or a digest made in its place for native directories.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentId(Arc<str>);

/// A directory and everything below it.
pub struct Directory {
    pub id: ContentId,
    pub entries: BTreeMap<Arc<str>, Node>,
}

/// What stands at a name.
#[derive(Debug, Clone)]
pub enum Node {
    Directory(Arc<Directory>),
    File(Arc<Blob>),
    /// A symbolic link and its target as committed.
    Link(Arc<str>),
}

/// A file's content. Configuration files are parsed once per content, on first use or when the
/// snapshot is built, and then shared by every snapshot that holds the same content.
pub struct Blob {
    pub id: ContentId,
    pub bytes: Bytes,
    /// Seconds since 1970; native directories only (git keeps no file times).
    pub modified: Option<i64>,
    /// Size of a file too large to be held; its `bytes` are empty and it cannot be served.
    pub withheld: Option<u64>,
    parsed: [OnceLock<Result<Arc<Prepared>, Fault>>; Format::RISING.len()],
}

impl ContentId {
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self(id.into())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Blob {
    #[must_use]
    pub fn new(id: ContentId, bytes: Bytes, modified: Option<i64>) -> Self {
        Self {
            id,
            bytes,
            modified,
            withheld: None,
            parsed: Default::default(),
        }
    }

    /// A file that is there but too large to be held. Read as configuration, it is a fault.
    #[must_use]
    pub fn too_large(id: ContentId, size: u64) -> Self {
        let fault = || Fault {
            line: 1,
            column: 1,
            message: format!("the file has {size} bytes"),
            limit: Some(Limits::FILE_SIZE),
        };
        Self {
            withheld: Some(size),
            parsed: std::array::from_fn(|_| OnceLock::from(Err(fault()))),
            ..Self::new(id, Bytes::new(), None)
        }
    }

    /// This file read as `format`, its directives understood.
    ///
    /// # Errors
    /// The [`Fault`] that keeps it from being read; the same one every time.
    pub fn prepared(&self, format: Format, limits: &Limits) -> Result<Arc<Prepared>, Fault> {
        self.parsed[format as usize]
            .get_or_init(|| Prepared::read(format, &self.bytes, limits).map(Arc::new))
            .clone()
    }
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(&self.entries).finish()
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blob({}, {} bytes)", self.id.as_str(), self.bytes.len())
    }
}
