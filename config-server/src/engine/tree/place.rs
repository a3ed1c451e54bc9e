//! Walking a tree, symbolic links followed inside it.
//!
//! A link that leaves the tree, never ends or points nowhere is absent, like a file that is not
//! there (contract 1.7).

use std::sync::Arc;

use thiserror::Error;

use super::super::document::Limits;
use super::path::check_name;
use super::{Blob, Directory, Node};

/// Links followed on one way; past it the way counts as endless.
const MOST_LINKS: usize = 40;

/// A directory, and the real way to it from the root.
#[derive(Debug, Clone)]
pub struct Place<'t> {
    root: &'t Directory,
    way: Vec<(&'t str, &'t Directory)>,
}

/// A file that a walk found.
#[derive(Debug, Clone)]
pub struct FoundFile<'t> {
    /// From the root, links followed.
    pub path: String,
    pub blob: &'t Arc<Blob>,
}

/// A pattern has too many directories to try.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("looks into more than {0} directories, past the limit `{NODES}`", NODES = Limits::NODES)]
pub struct TooManyPlaces(usize);

enum End<'t> {
    Directory(Place<'t>),
    File(FoundFile<'t>),
}

impl<'t> Place<'t> {
    #[must_use]
    pub fn root_of(root: &'t Directory) -> Self {
        Self { root, way: Vec::new() }
    }

    /// The directory at `relative` (names joined with `/`, `..` allowed inside the tree).
    #[must_use]
    pub fn directory(&self, relative: &str) -> Option<Self> {
        match self.walk(relative)? {
            End::Directory(place) => Some(place),
            End::File(_) => None,
        }
    }

    /// The file at `relative`. A plain name that is not there costs one look-up.
    #[must_use]
    pub fn file(&self, relative: &str) -> Option<FoundFile<'t>> {
        if !relative.contains('/') && !self.here().entries.contains_key(relative) {
            return None;
        }
        match self.walk(relative)? {
            End::File(file) => Some(file),
            End::Directory(_) => None,
        }
    }

    fn here(&self) -> &'t Directory {
        self.way.last().map_or(self.root, |(_, directory)| directory)
    }

    fn path_to(&self, name: &str) -> String {
        let mut path = String::new();
        for (step, _) in &self.way {
            path.push_str(step);
            path.push('/');
        }
        path.push_str(name);
        path
    }

    fn walk(&self, relative: &str) -> Option<End<'t>> {
        let mut place = self.clone();
        let mut ahead: Vec<&str> = relative.rsplit('/').collect();
        let mut followed = 0;
        while let Some(name) = ahead.pop() {
            match name {
                "" | "." => continue,
                ".." => {
                    place.way.pop()?;
                    continue;
                }
                _ => check_name(name).ok()?,
            }
            let (name, node) = place.here().entries.get_key_value(name)?;
            match node {
                Node::Directory(directory) => place.way.push((name, directory)),
                Node::File(blob) => {
                    let ends = ahead.iter().all(|rest| matches!(*rest, "" | "."));
                    let path = place.path_to(name);
                    return ends.then_some(End::File(FoundFile { path, blob }));
                }
                Node::Link(target) => {
                    followed += 1;
                    if followed > MOST_LINKS || target.starts_with('/') {
                        return None;
                    }
                    ahead.extend(target.rsplit('/'));
                }
            }
        }
        Some(End::Directory(place))
    }

    /// The directories below the root that match an Ant pattern, in the order of their paths; links
    /// to directories are followed, but never round in a circle.
    ///
    /// # Errors
    /// [`TooManyPlaces`] past `limits`.
    pub fn matching(&self, pattern: &str, limits: &Limits) -> Result<Vec<String>, TooManyPlaces> {
        let tokens: Vec<&str> = pattern.split('/').filter(|token| !matches!(*token, "" | ".")).collect();
        let fixed = tokens
            .iter()
            .take_while(|token| !contract::ant::is_pattern(token))
            .count();
        let base = tokens[..fixed].join("/");
        let Some(place) = self.directory(&base) else {
            return Ok(Vec::new());
        };
        let mut expansion = Expansion {
            found: Vec::new(),
            visited: 0,
            most: limits.nodes,
        };
        expansion.expand(&place, &base, &tokens[fixed..])?;
        let mut found = expansion.found;
        // As Spring's resolver has it: `deep/**` is what stands below `deep`, without it.
        found.retain(|path| *path != base);
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }
}

struct Expansion {
    found: Vec<String>,
    visited: usize,
    most: usize,
}

impl Expansion {
    fn expand(&mut self, place: &Place<'_>, path: &str, tokens: &[&str]) -> Result<(), TooManyPlaces> {
        self.visited += 1;
        if self.visited > self.most {
            return Err(TooManyPlaces(self.most));
        }
        let Some((token, rest)) = tokens.split_first() else {
            self.found.push(path.to_owned());
            return Ok(());
        };
        if *token == "**" {
            self.expand(place, path, rest)?;
        }
        for (name, node) in &place.here().entries {
            let descends = *token == "**" || contract::ant::token_matches(token, name);
            if !descends || matches!(node, Node::File(_)) {
                continue;
            }
            let Some(inner) = place.directory(name) else {
                continue;
            };
            if place.passes(inner.here()) {
                continue;
            }
            let path = if path.is_empty() {
                name.to_string()
            } else {
                format!("{path}/{name}")
            };
            self.expand(&inner, &path, if *token == "**" { tokens } else { rest })?;
        }
        Ok(())
    }
}

impl Place<'_> {
    /// Whether `directory` lies on the way here: then a link led back up.
    fn passes(&self, directory: &Directory) -> bool {
        std::ptr::eq(self.root, directory) || self.way.iter().any(|(_, step)| std::ptr::eq(*step, directory))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::tree::TreeBuilder;

    fn tree() -> Arc<Directory> {
        let mut tree = TreeBuilder::default();
        for path in [
            "library/base.yml",
            "library/deep/x.txt",
            "svc/b/y",
            "svc/a/x",
            "svc/a-b/z",
        ] {
            tree.file(path, path.as_bytes().to_vec(), None).unwrap();
        }
        for (path, target) in [
            ("orders.yml", "library/base.yml"),
            ("again.yml", "./orders.yml"),
            ("dirlink", "library/"),
            ("library/deep/up.yml", "../../dirlink/base.yml"),
            ("loop-a", "loop-b"),
            ("loop-b", "loop-a"),
            ("escape", "../outside"),
            ("absolute", "/etc/passwd"),
            ("gitdir", ".git/config"),
            ("svc/a/round", ".."),
        ] {
            tree.link(path, target).unwrap();
        }
        tree.build()
    }

    fn find(path: &str) -> Option<String> {
        let tree = tree();
        Place::root_of(&tree).file(path).map(|file| file.path)
    }

    #[test]
    fn links_inside_the_tree_are_followed() {
        for path in [
            "orders.yml",
            "again.yml",
            "dirlink/base.yml",
            "library/deep/up.yml",
            "dirlink/deep/../base.yml",
        ] {
            assert_eq!(find(path).as_deref(), Some("library/base.yml"), "{path}");
        }
    }

    #[test]
    fn loops_escapes_and_dangling_links_are_absent() {
        for path in [
            "loop-a",
            "escape",
            "absolute",
            "gitdir",
            "../x",
            "library/../../x",
            "orders.yml/x",
            "library",
            ".git",
        ] {
            assert_eq!(find(path), None, "{path}");
        }
    }

    #[test]
    fn patterns_match_directories_in_the_order_of_their_paths() {
        let tree = tree();
        let matching = |pattern: &str| Place::root_of(&tree).matching(pattern, &Limits::default()).unwrap();
        assert_eq!(matching("svc/*"), ["svc/a", "svc/a-b", "svc/b"]);
        assert_eq!(matching("library/**"), ["library/deep"]);
        assert_eq!(matching("dir*/deep"), ["dirlink/deep"]);
        assert_eq!(matching("nope/*"), Vec::<String>::new());
        assert_eq!(matching("**/a"), ["svc/a"]);
    }

    #[test]
    fn a_pattern_with_too_many_directories_is_refused_by_the_name_of_the_limit() {
        let tree = tree();
        let limits = Limits {
            nodes: 5,
            ..Limits::default()
        };
        let matching = |pattern: &str| Place::root_of(&tree).matching(pattern, &limits);
        assert_eq!(matching("svc/*").unwrap().len(), 3);
        assert_eq!(
            matching("**").unwrap_err().to_string(),
            "looks into more than 5 directories, past the limit `config-bus.limits.nodes`"
        );
    }
}
