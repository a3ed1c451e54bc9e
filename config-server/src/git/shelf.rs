//! What earlier snapshots of a repository are made of, found again by object id.
//!
//! The shelf holds nothing alive: an entry lives as long as a snapshot that uses it. So building the
//! next snapshot costs the change, and memory is bounded by what is served.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use git2::Oid;

use super::read::Loaded;
use crate::engine::snapshot::Snapshot;
use crate::engine::tree::{Blob, Directory};

/// Parts of snapshots by object id.
#[derive(Debug, Default)]
pub struct Shelf(Mutex<Parts>);

#[derive(Debug, Default)]
struct Parts {
    directories: HashMap<Oid, (Weak<Directory>, Facts)>,
    blobs: HashMap<Oid, Weak<Blob>>,
    commits: HashMap<Oid, (Weak<Snapshot>, Broken)>,
    /// Entries at which the dead ones are swept out.
    sweep_at: usize,
}

/// Paths of configuration files that cannot be parsed.
type Broken = Arc<[Arc<str>]>;

/// What was found out about a directory when it was read.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    /// Files below it.
    pub(super) files: u64,
    /// Paths below it of configuration files that cannot be parsed.
    pub(super) broken: Broken,
}

impl Shelf {
    pub(super) fn directory(&self, id: Oid) -> Option<(Arc<Directory>, Facts)> {
        self.with(|parts| {
            let (directory, facts) = parts.directories.get(&id)?;
            Some((directory.upgrade()?, facts.clone()))
        })
    }

    pub(super) fn blob(&self, id: Oid) -> Option<Arc<Blob>> {
        self.with(|parts| parts.blobs.get(&id)?.upgrade())
    }

    pub(super) fn commit(&self, id: Oid) -> Option<Loaded> {
        self.with(|parts| {
            let (snapshot, broken) = parts.commits.get(&id)?;
            Some(Loaded {
                snapshot: snapshot.upgrade()?,
                broken: broken.clone(),
            })
        })
    }

    pub(super) fn put_directory(&self, id: Oid, directory: &Arc<Directory>, facts: Facts) {
        self.with(|parts| {
            parts.directories.insert(id, (Arc::downgrade(directory), facts));
            parts.sweep();
        });
    }

    pub(super) fn put_blob(&self, id: Oid, blob: &Arc<Blob>) {
        self.with(|parts| parts.blobs.insert(id, Arc::downgrade(blob)));
    }

    pub(super) fn put_commit(&self, id: Oid, loaded: &Loaded) {
        self.with(|parts| {
            let entry = (Arc::downgrade(&loaded.snapshot), loaded.broken.clone());
            parts.commits.insert(id, entry);
        });
    }

    fn with<T>(&self, use_parts: impl FnOnce(&mut Parts) -> T) -> T {
        use_parts(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Parts {
    /// Sweeps whenever the shelf has doubled since the last time, so it costs a constant per entry.
    fn sweep(&mut self) {
        const AT_LEAST: usize = 1024;
        if self.directories.len() + self.blobs.len() + self.commits.len() < self.sweep_at.max(AT_LEAST) {
            return;
        }
        self.directories
            .retain(|_, (directory, _)| directory.strong_count() > 0);
        self.blobs.retain(|_, blob| blob.strong_count() > 0);
        self.commits.retain(|_, (snapshot, _)| snapshot.strong_count() > 0);
        self.sweep_at = 2 * (self.directories.len() + self.blobs.len() + self.commits.len());
    }
}
