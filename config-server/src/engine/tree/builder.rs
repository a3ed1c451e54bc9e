//! Makes a tree from paths and bytes: native directories, and tests.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256, digest};
use bytes::Bytes;

use super::{Blob, ContentId, Directory, Node, PathError, TreePath};

/// Collects files and links; parent directories come by themselves.
#[derive(Debug, Default)]
pub struct TreeBuilder {
    entries: BTreeMap<Arc<str>, Draft>,
}

#[derive(Debug)]
enum Draft {
    Directory(TreeBuilder),
    File { bytes: Bytes, modified: Option<i64> },
    Link(Arc<str>),
}

impl TreeBuilder {
    /// Adds a file; `modified` in seconds since 1970.
    ///
    /// # Errors
    /// [`PathError`] for a path that no tree holds.
    pub fn file(&mut self, path: &str, bytes: impl Into<Bytes>, modified: Option<i64>) -> Result<(), PathError> {
        let bytes = bytes.into();
        self.insert(path, Draft::File { bytes, modified })
    }

    /// Adds a symbolic link.
    ///
    /// # Errors
    /// [`PathError`] for a path that no tree holds.
    pub fn link(&mut self, path: &str, target: &str) -> Result<(), PathError> {
        self.insert(path, Draft::Link(target.into()))
    }

    /// Adds a whole tree at a directory's place.
    ///
    /// # Errors
    /// [`PathError`] for a path that no tree holds.
    pub fn directory(&mut self, path: &str, directory: Self) -> Result<(), PathError> {
        self.insert(path, Draft::Directory(directory))
    }

    /// The tree; its ids are digests of the content.
    #[must_use]
    pub fn build(self) -> Arc<Directory> {
        let entries = self
            .entries
            .into_iter()
            .map(|(name, draft)| (name, draft.build()))
            .collect();
        Arc::new(Directory::of(entries))
    }

    fn insert(&mut self, path: &str, draft: Draft) -> Result<(), PathError> {
        let path = TreePath::parse(path)?;
        let mut names: Vec<&str> = path.names().collect();
        let Some(last) = names.pop() else {
            return Ok(());
        };
        let mut here = self;
        for name in names {
            here = here.enter(name);
        }
        here.entries.insert(last.into(), draft);
        Ok(())
    }

    fn enter(&mut self, name: &str) -> &mut Self {
        let draft = self
            .entries
            .entry(name.into())
            .or_insert_with(|| Draft::Directory(Self::default()));
        if !matches!(draft, Draft::Directory(_)) {
            *draft = Draft::Directory(Self::default());
        }
        match draft {
            Draft::Directory(inner) => inner,
            Draft::File { .. } | Draft::Link(_) => unreachable!("made a directory just above"),
        }
    }
}

impl Directory {
    /// A directory that is named by a digest of everything in it.
    #[must_use]
    pub fn of(entries: BTreeMap<Arc<str>, Node>) -> Self {
        Self {
            id: id_of_directory(&entries),
            entries,
        }
    }
}

impl Draft {
    fn build(self) -> Node {
        match self {
            Self::Directory(inner) => Node::Directory(inner.build()),
            Self::File { bytes, modified } => {
                let id = ContentId::new(&hex::encode(digest(&SHA256, &bytes)));
                Node::File(Arc::new(Blob::new(id, bytes, modified)))
            }
            Self::Link(target) => Node::Link(target),
        }
    }
}

fn id_of_directory(entries: &BTreeMap<Arc<str>, Node>) -> ContentId {
    let mut context = Context::new(&SHA256);
    for (name, node) in entries {
        let (kind, content) = match node {
            Node::Directory(inner) => ("directory", inner.id.as_str()),
            Node::File(blob) => ("file", blob.id.as_str()),
            Node::Link(target) => ("link", &**target),
        };
        for part in [name, kind, content] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
    }
    ContentId::new(&hex::encode(context.finish()))
}
