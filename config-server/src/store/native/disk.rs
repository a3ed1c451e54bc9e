//! Directories of the disk become a tree. What has not changed since the last time is reused.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use contract::CommitId;
use thiserror::Error;

use crate::engine::document::{Format, Limits};
use crate::engine::resolve::Layout;
use crate::engine::snapshot::Snapshot;
use crate::engine::tree::{Blob, ContentId, Directory, Node};
use crate::git::Loaded;
use crate::git::read::{LARGEST_FILE, is_file_name};

/// Files below all locations together.
const MOST_FILES: usize = 100_000;
/// Directories inside one another; also ends links that lead back to where they stand.
const DEEPEST: usize = 32;

/// Why the directories cannot be read. Paths stay out of the message.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DiskError {
    #[error("search location {location} cannot be read")]
    Location {
        /// Counted from 0, as configured.
        location: usize,
        #[source]
        cause: io::Error,
    },
    #[error("the search locations hold more than {MOST_FILES} files")]
    TooMany,
    #[error("the search locations lie deeper than {DEEPEST} directories")]
    TooDeep,
    #[error("reading the search locations ended early")]
    Interrupted,
}

/// The locations and what is known of their files.
#[derive(Debug)]
pub(super) struct Disk {
    roots: Vec<PathBuf>,
    limits: Limits,
    fail_on_error: bool,
    known: HashMap<PathBuf, (Stamp, Arc<Blob>)>,
}

/// A file whose stamp is the same has not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    size: u64,
    modified: Option<SystemTime>,
    inode: u64,
}

/// One run over the locations.
struct Pass<'a> {
    disk: &'a Disk,
    /// Where the location being read ends: nothing outside is read, whatever links say.
    fence: PathBuf,
    seen: HashMap<PathBuf, (Stamp, Arc<Blob>)>,
    broken: Vec<Arc<str>>,
}

impl Disk {
    pub(super) fn new(roots: Vec<PathBuf>, limits: Limits, fail_on_error: bool) -> Self {
        Self {
            roots,
            limits,
            fail_on_error,
            known: HashMap::new(),
        }
    }

    /// Reads all locations. One that is not there is empty, as the stock server has it, unless
    /// `fail-on-error` is set.
    pub(super) fn read(&mut self) -> Result<Loaded, DiskError> {
        let mut pass = Pass {
            disk: self,
            fence: PathBuf::new(),
            seen: HashMap::new(),
            broken: Vec::new(),
        };
        let mut entries = BTreeMap::new();
        for location in 0..self.roots.len() {
            let directory = pass.location(location)?;
            entries.insert(location.to_string().into(), Node::Directory(directory));
        }
        let (known, broken) = (pass.seen, pass.broken);
        self.known = known;
        let root = Arc::new(Directory::of(entries));
        Ok(Loaded {
            snapshot: Arc::new(Snapshot {
                commit: stand_in(&root),
                committed_at: seconds(SystemTime::now()),
                root,
            }),
            broken: broken.into(),
        })
    }
}

impl Pass<'_> {
    fn location(&mut self, location: usize) -> Result<Arc<Directory>, DiskError> {
        let failed = |cause| DiskError::Location { location, cause };
        let root = match fs::canonicalize(&self.disk.roots[location]) {
            Ok(root) => root,
            Err(error) if error.kind() == io::ErrorKind::NotFound && !self.disk.fail_on_error => {
                return Ok(Arc::new(Directory::of(BTreeMap::new())));
            }
            Err(error) => return Err(failed(error)),
        };
        self.fence = root.clone();
        self.directory(&root, &Layout::shown_location(location), 0, &failed)
    }

    fn directory(
        &mut self,
        path: &Path,
        shown: &str,
        depth: usize,
        failed: &dyn Fn(io::Error) -> DiskError,
    ) -> Result<Arc<Directory>, DiskError> {
        if depth > DEEPEST {
            return Err(DiskError::TooDeep);
        }
        let mut entries = BTreeMap::new();
        for entry in fs::read_dir(path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            // `..data` and its like are how Kubernetes swaps a volume; what matters are the links.
            let Some(name) = entry
                .file_name()
                .to_str()
                .map(str::to_owned)
                .filter(|name| is_served(name))
            else {
                continue;
            };
            let shown = format!("{shown}/{name}");
            let Some((path, metadata)) = self.inside(&entry.path()) else {
                continue;
            };
            let node = if metadata.is_dir() {
                Node::Directory(self.directory(&path, &shown, depth + 1, failed)?)
            } else if metadata.is_file() {
                Node::File(self.file(&path, &name, &shown, &metadata, failed)?)
            } else {
                continue;
            };
            entries.insert(name.into(), node);
        }
        Ok(Arc::new(Directory::of(entries)))
    }

    /// Where a name leads to, links followed; `None` when that is outside the location or nowhere.
    fn inside(&self, path: &Path) -> Option<(PathBuf, Metadata)> {
        let real = fs::canonicalize(path).ok()?;
        if !real.starts_with(&self.fence) || (real != path && path.starts_with(&real)) {
            return None;
        }
        let metadata = fs::metadata(&real).ok()?;
        Some((real, metadata))
    }

    fn file(
        &mut self,
        path: &Path,
        name: &str,
        shown: &str,
        metadata: &Metadata,
        failed: &dyn Fn(io::Error) -> DiskError,
    ) -> Result<Arc<Blob>, DiskError> {
        if self.seen.len() >= MOST_FILES {
            return Err(DiskError::TooMany);
        }
        let stamp = Stamp::of(metadata);
        let blob = match self.disk.known.get(path) {
            Some((known, blob)) if *known == stamp => blob.clone(),
            _ => Arc::new(read_blob(path, stamp).map_err(failed)?),
        };
        if let Some(format) = Format::of(name)
            && blob.prepared(format, &self.disk.limits).is_err()
        {
            self.broken.push(shown.into());
        }
        self.seen.insert(path.to_owned(), (stamp, blob.clone()));
        Ok(blob)
    }
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self {
            size: metadata.len(),
            modified: metadata.modified().ok(),
            inode: metadata.ino(),
        }
    }
}

fn read_blob(path: &Path, stamp: Stamp) -> io::Result<Blob> {
    if stamp.size > LARGEST_FILE {
        return Ok(Blob::too_large(
            ContentId::new(&format!("size {}", stamp.size)),
            stamp.size,
        ));
    }
    let bytes = fs::read(path)?;
    let id = ContentId::new(&hex::encode(digest(&SHA256, &bytes)));
    Ok(Blob::new(id, Bytes::from(bytes), stamp.modified.map(seconds)))
}

fn is_served(name: &str) -> bool {
    is_file_name(name) && !name.starts_with("..")
}

fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// The digest of everything, in place of a commit.
fn stand_in(root: &Directory) -> CommitId {
    root.id.as_str().parse().expect("a SHA-256 in lower-case hexadecimal")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn disk(root: &Path) -> Disk {
        Disk::new(vec![root.to_owned()], Limits::default(), false)
    }

    fn names(directory: &Directory) -> Vec<String> {
        let mut names = Vec::new();
        for (name, node) in &directory.entries {
            match node {
                Node::Directory(inner) => {
                    names.extend(self::names(inner).iter().map(|inner| format!("{name}/{inner}")))
                }
                Node::File(_) | Node::Link(_) => names.push((**name).to_owned()),
            }
        }
        names
    }

    #[test]
    fn links_are_followed_inside_a_location_and_never_out_of_it() {
        let outside = tempfile::tempdir().expect("a directory");
        fs::write(outside.path().join("secret.yml"), "s: 1").expect("a file");
        let root = tempfile::tempdir().expect("a directory");
        let at = |name: &str| root.path().join(name);
        fs::create_dir(at("..2024")).expect("a directory");
        fs::write(at("..2024/app.yml"), "a: 1").expect("a file");
        symlink("..2024", at("..data")).expect("a link");
        symlink("..data/app.yml", at("app.yml")).expect("a link");
        symlink(outside.path().join("secret.yml"), at("evil.yml")).expect("a link");
        symlink("nowhere", at("dangling.yml")).expect("a link");
        symlink(".", at("loop")).expect("a link");
        let loaded = disk(root.path()).read().expect("read");
        assert_eq!(names(&loaded.snapshot.root), ["0/app.yml"]);
    }

    #[test]
    fn only_what_changed_is_read_again_and_the_digest_tells() {
        let root = tempfile::tempdir().expect("a directory");
        fs::write(root.path().join("a.yml"), "a: 1").expect("a file");
        let mut disk = disk(root.path());
        let first = disk.read().expect("read").snapshot;
        let same = disk.read().expect("read").snapshot;
        assert_eq!(first.commit, same.commit);
        fs::write(root.path().join("b.yml"), "b: 1").expect("a file");
        let more = disk.read().expect("read").snapshot;
        assert_ne!(first.commit, more.commit);
        fs::remove_file(root.path().join("b.yml")).expect("removed");
        assert_eq!(disk.read().expect("read").snapshot.commit, first.commit);
    }

    #[test]
    fn a_location_that_is_not_there_is_empty_or_an_error_as_configured() {
        let missing = PathBuf::from("/nonexistent/config");
        let mut lenient = Disk::new(vec![missing.clone()], Limits::default(), false);
        assert!(lenient.read().is_ok());
        let mut strict = Disk::new(vec![missing], Limits::default(), true);
        assert!(strict.read().is_err());
    }
}
