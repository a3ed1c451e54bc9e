//! The bare repository on disk that follows one remote. It is kept between starts.
//!
//! **Invariant: a directory under the mirror's name is a complete clone.** A clone grows under a name
//! of its own and is renamed when its first fetch has succeeded, so a crash leaves nothing half.

use std::collections::HashMap;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::SystemTime;

use aws_lc_rs::digest::{SHA256, digest};
use git2::{AutotagOption, Direction, FetchOptions, Oid, RemoteCallbacks, Repository, RepositoryInitOptions};
use tokio::time::Instant;

use super::error::Failure;
use super::local;
use super::locks;
use super::packs::{self, Packing};
use super::refs::{KEPT, RefTable, kept_reference};
use super::transport::{Line, URL};

/// What a mirror follows.
const REFSPECS: [&str; 2] = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];

/// The file whose time of change is that of the last successful fetch.
const FETCHED: &str = "config-bus-fetched";

/// One mirror's place, and who may touch it.
#[derive(Debug)]
pub struct Mirror {
    path: PathBuf,
    /// Branches and tags gone from the remote go from here too.
    pub(super) prune: bool,
    /// Held shared while objects are read, alone while packs or the directory are removed.
    gate: RwLock<()>,
    packing: Mutex<Packing>,
}

/// What the remote has: reference names and the objects they name.
pub(super) type Advertised = HashMap<String, Oid>;

impl Mirror {
    /// The place of the mirror that is called `name`, whatever characters that has.
    #[must_use]
    pub fn new(basedir: &Path, name: &str, prune: bool) -> Self {
        let digest = hex::encode(digest(&SHA256, name.as_bytes()));
        Self {
            path: basedir.join(format!("{}.git", &digest[..20])),
            prune,
            gate: RwLock::new(()),
            packing: Mutex::default(),
        }
    }

    /// Runs `read` on the repository while nobody replaces it. `None` while there is no clone.
    ///
    /// # Errors
    /// What `read` reports, or that the mirror cannot be opened.
    pub fn read<T>(&self, read: impl FnOnce(&Repository) -> Result<T, Failure>) -> Result<Option<T>, Failure> {
        let _shared = self.shared();
        self.open()?.as_ref().map(read).transpose()
    }

    /// The references as they stand on disk; `None` while there is no clone.
    ///
    /// # Errors
    /// [`Failure::Corrupt`] when a branch's commit is not whole.
    pub fn refs(&self) -> Result<Option<RefTable>, Failure> {
        self.read(|repository| {
            let table = RefTable::read(repository)?;
            for (_, commit) in table.branches() {
                let tree = repository.find_commit(commit).and_then(|commit| commit.tree());
                tree.map_err(|error| Failure::reading(&error))?;
            }
            Ok(table)
        })
    }

    /// When the last fetch succeeded.
    #[must_use]
    pub fn fetched_at(&self) -> Option<SystemTime> {
        fs::metadata(self.path.join(FETCHED)).ok()?.modified().ok()
    }

    /// Brings the mirror to what the remote has now; clones when there is none, or a damaged one.
    pub(super) fn fetch(&self, line: &Line) -> Result<RefTable, Failure> {
        match self.open() {
            Ok(Some(repository)) => {
                let table = match fetch_into(&repository, line, self.prune) {
                    Err(Failure::Disk(_)) if self.was_locked() => fetch_into(&repository, line, self.prune)?,
                    fetched => fetched?,
                };
                self.mark_fetched();
                self.keep_few_packs(&repository)?;
                Ok(table)
            }
            Ok(None) => self.clone_anew(line),
            Err(failure) if failure.is_damage() => self.clone_anew(line),
            Err(failure) => Err(failure),
        }
    }

    /// Replaces the mirror by a fresh clone.
    pub(super) fn clone_anew(&self, line: &Line) -> Result<RefTable, Failure> {
        let growing = self.path.with_extension("new");
        remove(&growing)?;
        create_private(growing.parent().unwrap_or(&growing))?;
        let mut options = RepositoryInitOptions::new();
        options.bare(true).external_template(false);
        let repository = Repository::init_opts(&growing, &options).map_err(|_| Failure::Disk(io::ErrorKind::Other))?;
        let fetched = fetch_into(&repository, line, true);
        drop(repository);
        let table = match fetched {
            Ok(table) => table,
            Err(failure) => {
                remove(&growing)?;
                return Err(failure);
            }
        };
        let _alone = self.gate.write().unwrap_or_else(PoisonError::into_inner);
        remove(&self.path)?;
        fs::rename(&growing, &self.path).map_err(|error| Failure::disk(&error))?;
        self.mark_fetched();
        Ok(table)
    }

    /// Removes the mirror from disk.
    pub(super) fn remove(&self) -> Result<(), Failure> {
        let _alone = self.gate.write().unwrap_or_else(PoisonError::into_inner);
        remove(&self.path)
    }

    fn shared(&self) -> RwLockReadGuard<'_, ()> {
        self.gate.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> Result<Option<Repository>, Failure> {
        match fs::symlink_metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::disk(&error)),
            // A link that somebody planted would make us write where it points.
            Ok(found) if !found.is_dir() => return Err(Failure::Disk(io::ErrorKind::NotADirectory)),
            Ok(_) => {}
        }
        match Repository::open_bare(&self.path) {
            Ok(repository) => Ok(Some(repository)),
            Err(error) => Err(match Failure::reading(&error) {
                Failure::Unsupported(_) => Failure::Corrupt,
                failure => failure,
            }),
        }
    }

    /// Whether locks stood in the way that nobody holds any more; they are gone then.
    fn was_locked(&self) -> bool {
        let removed = locks::remove_abandoned(&self.path).unwrap_or_default();
        if removed > 0 {
            tracing::warn!(locks = removed, "a killed process left the mirror locked");
        }
        removed > 0
    }

    fn mark_fetched(&self) {
        // Only tells how old the mirror is after a restart.
        if let Err(error) = File::create(self.path.join(FETCHED)) {
            tracing::warn!(%error, "the time of the fetch cannot be written down");
        }
    }

    /// Many packs are slow, but no reason not to serve what was fetched.
    fn keep_few_packs(&self, repository: &Repository) -> Result<(), Failure> {
        match self.repack_when_due(repository) {
            Ok(()) => Ok(()),
            Err(failure) if failure.is_damage() => Err(failure),
            Err(failure) => {
                if self.packing().failed(Instant::now()) {
                    tracing::warn!(%failure, "the mirror's packs cannot become one; it is tried again now and then");
                } else {
                    tracing::debug!(%failure, "the mirror's packs still cannot become one");
                }
                Ok(())
            }
        }
    }

    fn repack_when_due(&self, repository: &Repository) -> Result<(), Failure> {
        let directory = self.path.join("objects/pack");
        let old = packs::list(&directory).map_err(|error| Failure::disk(&error))?;
        if !self.packing().is_due(old.len(), Instant::now()) {
            return Ok(());
        }
        let name = packs::write_one(repository, &directory).map_err(|error| Failure::reading(&error))?;
        let _alone = self.gate.write().unwrap_or_else(PoisonError::into_inner);
        for pack in old.iter().filter(|pack| !pack.to_string_lossy().contains(&name)) {
            packs::remove(pack).map_err(|error| Failure::disk(&error))?;
        }
        self.packing().succeeded();
        tracing::info!(packs = old.len(), "the mirror's packs became one");
        Ok(())
    }

    fn packing(&self) -> MutexGuard<'_, Packing> {
        self.packing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn create_private(directory: &Path) -> Result<(), Failure> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(|error| Failure::disk(&error))
}

fn remove(directory: &Path) -> Result<(), Failure> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Failure::disk(&error)),
        _ => Ok(()),
    }
}

fn fetch_into(repository: &Repository, line: &Line, prune: bool) -> Result<RefTable, Failure> {
    let present = present(repository).map_err(|error| Failure::reading(&error))?;
    let advertised = match line.directory() {
        Some(source) => {
            let packs = repository.path().join("objects/pack");
            line.verdict(local::download(repository, &packs, source, &present, line))?
        }
        None => line.carry(|| download(repository, &present, line))?,
    };
    if let Some(advertised) = advertised {
        follow(repository, &present, &advertised, prune).map_err(|error| Failure::reading(&error))?;
    }
    RefTable::read(repository)
}

/// Asks what the remote has and brings the missing objects. `None` when nothing moved.
fn download(repository: &Repository, present: &Advertised, line: &Line) -> Result<Option<Advertised>, git2::Error> {
    let mut remote = repository.remote_anonymous(URL)?;
    let mut connected = remote.connect_auth(Direction::Fetch, Some(callbacks(line)), None)?;
    let advertised: Advertised = connected
        .list()?
        .iter()
        .filter(|head| is_followed(head.name()) && !head.name().ends_with("^{}"))
        .map(|head| (head.name().to_owned(), head.oid()))
        .collect();
    if advertised == *present {
        return Ok(None);
    }
    let mut options = FetchOptions::new();
    options
        .download_tags(AutotagOption::None)
        .update_fetchhead(false)
        .remote_callbacks(callbacks(line));
    connected.remote().download(&REFSPECS, Some(&mut options))?;
    Ok(Some(advertised))
}

fn callbacks(line: &Line) -> RemoteCallbacks<'_> {
    let mut callbacks = RemoteCallbacks::new();
    callbacks.transfer_progress(|_| line.is_open());
    callbacks
}

pub(super) fn is_followed(name: &str) -> bool {
    name.starts_with("refs/heads/") || name.starts_with("refs/tags/")
}

fn present(repository: &Repository) -> Result<Advertised, git2::Error> {
    let mut present = Advertised::new();
    for reference in repository.references()? {
        let reference = reference?;
        if let (Ok(name), Some(target)) = (reference.name(), reference.target())
            && is_followed(name)
        {
            present.insert(name.to_owned(), target);
        }
    }
    Ok(present)
}

/// Moves the mirror's references to where the remote's stand. What is gone goes first: a branch `a`
/// has to leave before `a/b` can come.
fn follow(
    repository: &Repository,
    present: &Advertised,
    advertised: &Advertised,
    prune: bool,
) -> Result<(), git2::Error> {
    for (name, target) in present.iter().filter(|(name, _)| !advertised.contains_key(*name)) {
        if !prune {
            repository.reference(&kept_reference(short(name)), *target, true, "gone at the remote")?;
        }
        repository.find_reference(name)?.delete()?;
    }
    for (name, target) in advertised
        .iter()
        .filter(|(name, target)| present.get(*name) != Some(target))
    {
        repository.reference(name, *target, true, "fetch")?;
        if let Ok(mut kept) = repository.find_reference(&kept_reference(short(name))) {
            kept.delete()?;
        }
    }
    if prune {
        for kept in repository.references_glob(&format!("{KEPT}*"))? {
            kept?.delete()?;
        }
    }
    Ok(())
}

/// A branch's or tag's name without `refs/heads/` or `refs/tags/`.
fn short(reference: &str) -> &str {
    reference.splitn(3, '/').last().unwrap_or(reference)
}
