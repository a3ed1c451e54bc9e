//! What changed between two trees.

use std::sync::Arc;

use super::tree::{Directory, Node};

/// One changed file, by its path from the root. A symbolic link is a file, too.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    pub path: Arc<str>,
    pub kind: ChangeKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    Added,
    Removed,
    Modified,
}

/// The files that differ, in path order. Directories with equal ids are not entered.
#[must_use]
pub fn diff(from: &Directory, to: &Directory) -> Vec<Change> {
    let mut comparison = Comparison::default();
    comparison.directories(from, to);
    comparison.changes.sort_unstable();
    comparison.changes
}

#[derive(Default)]
struct Comparison {
    changes: Vec<Change>,
    /// The way to the directories compared, ending in `/`.
    way: String,
}

impl Comparison {
    fn directories(&mut self, from: &Directory, to: &Directory) {
        if from.id == to.id {
            return;
        }
        for (name, before) in &from.entries {
            match to.entries.get(name) {
                Some(after) => self.nodes(name, before, after),
                None => self.every_file(name, before, ChangeKind::Removed),
            }
        }
        for (name, after) in &to.entries {
            if !from.entries.contains_key(name) {
                self.every_file(name, after, ChangeKind::Added);
            }
        }
    }

    fn nodes(&mut self, name: &str, before: &Node, after: &Node) {
        match (before, after) {
            (Node::Directory(before), Node::Directory(after)) => {
                self.below(name, |inner| inner.directories(before, after))
            }
            (Node::Directory(_), _) | (_, Node::Directory(_)) => {
                self.every_file(name, before, ChangeKind::Removed);
                self.every_file(name, after, ChangeKind::Added);
            }
            (Node::File(before), Node::File(after)) if before.id == after.id => {}
            (Node::Link(before), Node::Link(after)) if before == after => {}
            (Node::File(_) | Node::Link(_), _) => self.add(name, ChangeKind::Modified),
        }
    }

    fn every_file(&mut self, name: &str, node: &Node, kind: ChangeKind) {
        match node {
            Node::File(_) | Node::Link(_) => self.add(name, kind),
            Node::Directory(directory) => self.below(name, |inner| {
                for (name, node) in &directory.entries {
                    inner.every_file(name, node, kind);
                }
            }),
        }
    }

    fn below(&mut self, name: &str, compare: impl FnOnce(&mut Self)) {
        let length = self.way.len();
        self.way.push_str(name);
        self.way.push('/');
        compare(self);
        self.way.truncate(length);
    }

    fn add(&mut self, name: &str, kind: ChangeKind) {
        let path = format!("{}{name}", self.way).into();
        self.changes.push(Change { path, kind });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::collection::btree_map;
    use proptest::prelude::*;

    use super::*;
    use crate::engine::tree::TreeBuilder;

    type Files = BTreeMap<String, Option<u8>>;

    /// Files by their content; `None` is a link.
    fn tree(files: &Files) -> Arc<Directory> {
        let mut tree = TreeBuilder::default();
        for (path, content) in files {
            match content {
                Some(byte) => tree.file(path, vec![*byte], None).unwrap(),
                None => tree.link(path, "a").unwrap(),
            }
        }
        tree.build()
    }

    fn flat(directory: &Directory, way: &str, files: &mut Files) {
        for (name, node) in &directory.entries {
            let path = format!("{way}{name}");
            match node {
                Node::Directory(inner) => flat(inner, &format!("{path}/"), files),
                Node::File(blob) => drop(files.insert(path, Some(blob.bytes[0]))),
                Node::Link(_) => drop(files.insert(path, None)),
            }
        }
    }

    fn files(directory: &Directory) -> Files {
        let mut files = Files::new();
        flat(directory, "", &mut files);
        files
    }

    fn any_files() -> impl Strategy<Value = Files> {
        btree_map("[abc](/[abc]){0,2}", proptest::option::weighted(0.8, 0..3_u8), 0..8)
    }

    proptest! {
        #[test]
        fn applying_the_difference_leads_from_one_tree_to_the_other(from in any_files(), to in any_files()) {
            let (from, to) = (tree(&from), tree(&to));
            let (mut changing, after) = (files(&from), files(&to));
            for Change { path, kind } in diff(&from, &to) {
                let before = match kind {
                    ChangeKind::Removed => changing.remove(&*path),
                    ChangeKind::Added | ChangeKind::Modified => changing.insert(path.to_string(), after[&*path]),
                };
                prop_assert_eq!(before.is_some(), kind != ChangeKind::Added);
                prop_assert_ne!(before, after.get(&*path).copied());
            }
            prop_assert_eq!(changing, after);
        }
    }

    #[test]
    fn changes_come_in_path_order() {
        let from = tree(&Files::from([("a/b".into(), Some(1)), ("x".into(), Some(1))]));
        let to = tree(&Files::from([
            ("a".into(), Some(1)),
            ("b/c".into(), Some(1)),
            ("x".into(), Some(2)),
        ]));
        let told: Vec<_> = diff(&from, &to)
            .iter()
            .map(|change| format!("{:?} {}", change.kind, change.path))
            .collect();
        assert_eq!(told, ["Added a", "Removed a/b", "Added b/c", "Modified x"]);
    }
}
