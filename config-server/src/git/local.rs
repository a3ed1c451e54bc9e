//! Fetching from a directory of this machine.
//!
//! libgit2's own way packs with an eye on everything the two repositories share, which costs the
//! repository and not the change. Here only what the mirror lacks is looked at: an object that is
//! there has everything below it there too.

use std::collections::HashSet;
use std::path::Path;

use git2::{ErrorCode, ObjectType, Odb, OdbLookupFlags, Oid, PackBuilder, Repository, Tree};

use super::error::Failure;
use super::mirror::{Advertised, is_followed};
use super::transport::Line;

/// The references of the repository at `source`, once everything they name is in `packs`; `None` when
/// nothing moved.
pub(super) fn download(
    mirror: &Repository,
    packs: &Path,
    source: &Path,
    present: &Advertised,
    line: &Line,
) -> Result<Option<Advertised>, Failure> {
    let source = open(source)?;
    let advertised = references(&source)?;
    if advertised == *present {
        return Ok(None);
    }
    let mut lacking = Lacking {
        source: &source,
        there: mirror.odb().map_err(|error| Failure::reading(&error))?,
        line,
        seen: HashSet::new(),
        builder: source.packbuilder().map_err(damaged)?,
    };
    for target in advertised.values() {
        lacking.add(*target)?;
    }
    if !lacking.seen.is_empty() {
        lacking
            .builder
            .write(packs, 0)
            .map_err(|_| Failure::Disk(std::io::ErrorKind::Other))?;
    }
    Ok(Some(advertised))
}

fn open(path: &Path) -> Result<Repository, Failure> {
    Repository::open(path).map_err(|error| {
        if error.message().contains("extension") {
            return Failure::Unsupported("an extension of the repository format");
        }
        match error.code() {
            ErrorCode::NotFound => Failure::NotARepository,
            _ => Failure::RemoteDamaged,
        }
    })
}

fn references(source: &Repository) -> Result<Advertised, Failure> {
    let mut references = Advertised::new();
    for reference in source.references().map_err(damaged)? {
        let reference = reference.map_err(damaged)?;
        if let (Ok(name), Some(target)) = (reference.name(), reference.target())
            && is_followed(name)
        {
            references.insert(name.to_owned(), target);
        }
    }
    Ok(references)
}

/// Collects the objects that the mirror does not have.
struct Lacking<'a> {
    source: &'a Repository,
    there: Odb<'a>,
    line: &'a Line,
    seen: HashSet<Oid>,
    builder: PackBuilder<'a>,
}

impl Lacking<'_> {
    /// Adds `id` and everything below it.
    fn add(&mut self, id: Oid) -> Result<(), Failure> {
        let mut pending = Vec::new();
        self.take(id, &mut pending)?;
        while let Some(id) = pending.pop() {
            let object = self.source.find_object(id, None).map_err(damaged)?;
            if let Some(commit) = object.as_commit() {
                for parent in commit.parent_ids() {
                    self.take(parent, &mut pending)?;
                }
                self.take(commit.tree_id(), &mut pending)?;
            } else if let Some(tree) = object.as_tree() {
                self.take_entries(tree, &mut pending)?;
            } else if let Some(tag) = object.as_tag() {
                self.take(tag.target_id(), &mut pending)?;
            }
        }
        Ok(())
    }

    fn take_entries(&mut self, tree: &Tree<'_>, pending: &mut Vec<Oid>) -> Result<(), Failure> {
        for entry in tree {
            match entry.kind() {
                Some(ObjectType::Tree) => self.take(entry.id(), pending)?,
                // There is nothing below a file.
                Some(ObjectType::Blob) => self.take(entry.id(), &mut Vec::new())?,
                // A submodule's commit is another repository's.
                _ => {}
            }
        }
        Ok(())
    }

    /// Adds one object unless it is there, and remembers to look below it.
    fn take(&mut self, id: Oid, pending: &mut Vec<Oid>) -> Result<(), Failure> {
        if self.there.exists_ext(id, OdbLookupFlags::NO_REFRESH) || !self.seen.insert(id) {
            return Ok(());
        }
        if !self.line.is_open() {
            // The line has noted why.
            return Err(Failure::Stopped);
        }
        pending.push(id);
        self.builder.insert_object(id, None).map_err(damaged)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "shaped for `map_err`")]
fn damaged(error: git2::Error) -> Failure {
    tracing::debug!(%error, "reading the remote failed");
    Failure::RemoteDamaged
}
