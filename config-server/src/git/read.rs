//! A commit becomes a snapshot: its tree is walked, and what an earlier snapshot holds is reused.
//!
//! Configuration files that are new are parsed here, so that no request has to.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use contract::CommitId;
use git2::{Commit, ObjectType, Oid, Repository, Tree, TreeEntry};

use super::error::Failure;
use super::shelf::{Facts, Shelf};
use crate::engine::document::{Format, Limits};
use crate::engine::snapshot::Snapshot;
use crate::engine::tree::{Blob, ContentId, Directory, Node};

/// Files of one commit; also stops trees that name the same tree over and over.
const MOST_FILES: u64 = 1_000_000;
/// Directories inside one another.
const DEEPEST: usize = 128;
/// Bytes of a file that are held in memory; a larger one is there but cannot be read.
pub(crate) const LARGEST_FILE: u64 = 64 * 1024 * 1024;

const LINK: i32 = 0o120_000;

/// A snapshot, and the configuration files of it that cannot be parsed.
#[derive(Debug, Clone)]
pub struct Loaded {
    pub snapshot: Arc<Snapshot>,
    pub broken: Arc<[Arc<str>]>,
}

/// Reads `commit`.
///
/// # Errors
/// [`Failure::UnknownCommit`], [`Failure::Corrupt`], [`Failure::TooLarge`].
pub fn load(repository: &Repository, shelf: &Shelf, limits: &Limits, commit: Oid) -> Result<Loaded, Failure> {
    if let Some(loaded) = shelf.commit(commit) {
        return Ok(loaded);
    }
    let found = find(repository, commit)?;
    let tree = found.tree().map_err(|error| Failure::reading(&error))?;
    let walk = Walk {
        repository,
        shelf,
        limits,
    };
    let (root, facts) = walk.directory(&tree, 0)?;
    let loaded = Loaded {
        snapshot: Arc::new(Snapshot {
            commit: commit_id(commit),
            committed_at: found.time().seconds(),
            root,
        }),
        broken: facts.broken,
    };
    shelf.put_commit(commit, &loaded);
    Ok(loaded)
}

/// The commit a full or abbreviated id names; `None` when there is none, or several.
///
/// # Errors
/// When the mirror cannot be read.
pub fn find_by_id(repository: &Repository, id: &str) -> Result<Option<Oid>, Failure> {
    // An annotated tag has an id too, but it is no commit's.
    match repository.find_commit_by_prefix(&id.to_ascii_lowercase()) {
        Ok(commit) => Ok(Some(commit.id())),
        Err(error) if matches!(error.code(), git2::ErrorCode::NotFound | git2::ErrorCode::Ambiguous) => Ok(None),
        Err(error) if error.class() == git2::ErrorClass::Invalid => Ok(None),
        Err(error) => Err(Failure::reading(&error)),
    }
}

/// Whether `ancestor` is `commit` or comes before it. Commits that are not here come before nothing.
#[must_use]
pub fn is_ancestor(repository: &Repository, ancestor: &CommitId, commit: &CommitId) -> bool {
    let (Ok(ancestor), Ok(commit)) = (Oid::from_str(ancestor.as_str()), Oid::from_str(commit.as_str())) else {
        return false;
    };
    ancestor == commit || repository.graph_descendant_of(commit, ancestor).unwrap_or(false)
}

/// The commits before `commit` along first parents, newest first, at most `most`.
///
/// # Errors
/// When the history cannot be read.
pub fn history(repository: &Repository, commit: Oid, most: usize) -> Result<Vec<Oid>, Failure> {
    let mut at = find(repository, commit)?;
    let mut before = Vec::new();
    while before.len() < most && at.parent_count() > 0 {
        at = at.parent(0).map_err(|error| Failure::reading(&error))?;
        before.push(at.id());
    }
    Ok(before)
}

fn find(repository: &Repository, commit: Oid) -> Result<Commit<'_>, Failure> {
    repository.find_commit(commit).map_err(|error| match error.code() {
        git2::ErrorCode::NotFound => Failure::UnknownCommit,
        _ => Failure::reading(&error),
    })
}

/// A commit's id as the rest of the server spells it.
#[must_use]
pub fn commit_id(id: Oid) -> CommitId {
    id.to_string()
        .parse()
        .expect("git prints ids as lower-case hexadecimal")
}

struct Walk<'a> {
    repository: &'a Repository,
    shelf: &'a Shelf,
    limits: &'a Limits,
}

impl Walk<'_> {
    fn directory(&self, tree: &Tree<'_>, depth: usize) -> Result<(Arc<Directory>, Facts), Failure> {
        if let Some(known) = self.shelf.directory(tree.id()) {
            return Ok(known);
        }
        if depth > DEEPEST {
            return Err(too_large("directories inside one another", DEEPEST as u64));
        }
        let mut entries = BTreeMap::new();
        let mut files = 0_u64;
        let mut broken: Vec<Arc<str>> = Vec::new();
        for entry in tree {
            let Some((name, node)) = self.entry(&entry, depth, &mut files, &mut broken)? else {
                continue;
            };
            entries.insert(name, node);
            if files > MOST_FILES {
                return Err(too_large("files", MOST_FILES));
            }
        }
        let directory = Arc::new(Directory {
            id: content_id(tree.id()),
            entries,
        });
        let facts = Facts {
            files,
            broken: broken.into(),
        };
        self.shelf.put_directory(tree.id(), &directory, facts.clone());
        Ok((directory, facts))
    }

    /// One entry; `None` for submodules and for names that are no file names.
    fn entry(
        &self,
        entry: &TreeEntry<'_>,
        depth: usize,
        files: &mut u64,
        broken: &mut Vec<Arc<str>>,
    ) -> Result<Option<(Arc<str>, Node)>, Failure> {
        let Some(name) = entry.name().ok().filter(|name| is_file_name(name)) else {
            return Ok(None);
        };
        let node = match entry.kind() {
            Some(ObjectType::Tree) => {
                let tree = self
                    .repository
                    .find_tree(entry.id())
                    .map_err(|error| Failure::reading(&error))?;
                let (directory, facts) = self.directory(&tree, depth + 1)?;
                *files = files.saturating_add(facts.files);
                broken.extend(facts.broken.iter().map(|path| format!("{name}/{path}").into()));
                Node::Directory(directory)
            }
            Some(ObjectType::Blob) => {
                *files += 1;
                self.file(entry, name, broken)?
            }
            // A submodule is another repository's commit.
            _ => return Ok(None),
        };
        Ok(Some((name.into(), node)))
    }

    fn file(&self, entry: &TreeEntry<'_>, name: &str, broken: &mut Vec<Arc<str>>) -> Result<Node, Failure> {
        let blob = self.blob(entry.id())?;
        if entry.filemode() == LINK {
            let target = String::from_utf8_lossy(&blob.bytes);
            return Ok(Node::Link(target.as_ref().into()));
        }
        if let Some(format) = Format::of(name)
            && blob.prepared(format, self.limits).is_err()
        {
            broken.push(name.into());
        }
        Ok(Node::File(blob))
    }

    fn blob(&self, id: Oid) -> Result<Arc<Blob>, Failure> {
        if let Some(known) = self.shelf.blob(id) {
            return Ok(known);
        }
        let blob = Arc::new(self.read_blob(id)?);
        self.shelf.put_blob(id, &blob);
        Ok(blob)
    }

    fn read_blob(&self, id: Oid) -> Result<Blob, Failure> {
        let reading = |error: git2::Error| Failure::reading(&error);
        // The header tells the size; the content of a large file never enters memory.
        let (size, _) = self
            .repository
            .odb()
            .and_then(|odb| odb.read_header(id))
            .map_err(reading)?;
        if size as u64 > LARGEST_FILE {
            return Ok(Blob::too_large(content_id(id), size as u64));
        }
        let found = self.repository.find_blob(id).map_err(reading)?;
        Ok(Blob::new(content_id(id), Bytes::copy_from_slice(found.content()), None))
    }
}

/// A hostile tree may hold any bytes as a name. `.git` is never reachable (contract 1.7).
pub(crate) fn is_file_name(name: &str) -> bool {
    !name.is_empty() && !matches!(name, "." | "..") && !name.contains(['/', '\0']) && !name.eq_ignore_ascii_case(".git")
}

fn content_id(id: Oid) -> ContentId {
    ContentId::new(&id.to_string())
}

fn too_large(what: &'static str, limit: u64) -> Failure {
    Failure::TooLarge { what, limit }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_no_file_names() {
        for name in ["", ".", "..", "a/b", ".git", ".GIT", "a\0b"] {
            assert!(!is_file_name(name), "{name:?}");
        }
        for name in ["a.yml", ".gitignore", "..data", "a b"] {
            assert!(is_file_name(name), "{name:?}");
        }
    }
}
