//! Where a query looks: the directories of a layout, in rising precedence (contract 2.4, 2.6).

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use super::Layout;
use crate::engine::query::Query;
use crate::engine::tree::{Directory, LinksPassed, Node, Place};

/// A tree that files are looked for in, and how they are called.
#[derive(Debug)]
pub(super) struct Shelf {
    /// Begins the names of sources.
    pub(super) name: Arc<str>,
    /// The way from the snapshot's root, ending in `/`; empty for the root itself.
    pub(super) prefix: String,
}

/// One directory to look in.
#[derive(Debug, Clone)]
pub(super) struct Location<'t> {
    pub(super) shelf: Arc<Shelf>,
    /// From the shelf's root as it was written, links not followed; empty for the root.
    pub(super) path: String,
    pub(super) place: Place<'t>,
}

/// The directories that exist, and the links passed on the way to them.
#[derive(Debug, Default)]
pub(super) struct Locations<'t> {
    pub(super) found: Vec<Location<'t>>,
    pub(super) links: LinksPassed,
    known: HashSet<String>,
}

impl Layout {
    /// Cuts a native location in the directory that is read into the tree, and the rest below it
    /// with placeholders and patterns: `file:/etc/config` and `{application}`.
    #[must_use]
    pub fn fixed_part(location: &str) -> (&str, &str) {
        let fixed = location.find(['{', '*', '?']).map_or(location.len(), |open| {
            location[..open].rfind('/').map_or(0, |slash| slash + 1)
        });
        let (fixed, rest) = location.split_at(fixed);
        (fixed.trim_end_matches('/'), rest.trim_matches('/'))
    }
}

impl Shelf {
    /// The name of the file at `path`.
    pub(super) fn name_of(&self, path: &str) -> String {
        format!("{}/{path}", self.name)
    }

    /// The path of a file, from the snapshot's root.
    pub(super) fn path_of(&self, path: &str) -> Arc<str> {
        format!("{}{path}", self.prefix).into()
    }
}

impl Location<'_> {
    /// The path of `name` in this directory.
    pub(super) fn path_to(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}/{name}", self.path)
        }
    }
}

/// All locations of a layout for `query` at `label`.
pub(super) fn locations<'t>(root: &'t Directory, layout: &Layout, label: &str, query: &Query) -> Locations<'t> {
    let mut locations = Locations::default();
    match layout {
        Layout::Repository { uri, search_paths, .. } => {
            let shelf = Arc::new(Shelf {
                name: uri.clone(),
                prefix: String::new(),
            });
            let place = Place::root_of(root);
            locations.add(&shelf, &place, "");
            for pattern in search_paths.iter() {
                locations.add_expanded(&shelf, &place, pattern, label, query);
            }
        }
        Layout::Native {
            locations: written,
            add_label_locations,
        } => locations.add_native(root, written, *add_label_locations, label, query),
    }
    locations
}

impl<'t> Locations<'t> {
    fn add_native(&mut self, root: &'t Directory, written: &[String], add_labels: bool, label: &str, query: &Query) {
        let shelves: Vec<_> = written
            .iter()
            .enumerate()
            .filter_map(|(index, location)| shelf(root, index, location))
            .collect();
        for (shelf, place, rest) in &shelves {
            self.add_expanded(shelf, place, rest, label, query);
        }
        if !add_labels {
            return;
        }
        // Of several labels the first is the strongest here, other than in git.
        for label in label.split(',').map(str::trim).filter(|label| !label.is_empty()).rev() {
            for (shelf, place, rest) in &shelves {
                self.add_expanded(shelf, place, &format!("{rest}/{label}"), label, query);
            }
        }
    }

    /// Adds what a search path means for every profile and application asked for.
    fn add_expanded(&mut self, shelf: &Arc<Shelf>, place: &Place<'t>, pattern: &str, label: &str, query: &Query) {
        let is_glob = pattern.contains(['*', '?']);
        for profile in &query.profiles {
            for application in &query.applications {
                let path = pattern
                    .replace("{application}", application)
                    .replace("{profile}", profile)
                    .replace("{label}", label);
                if !is_glob {
                    self.add(shelf, place, &path);
                    continue;
                }
                for path in place.matching(&path, &mut self.links) {
                    self.add(shelf, place, &path);
                }
            }
        }
    }

    fn add(&mut self, shelf: &Arc<Shelf>, place: &Place<'t>, path: &str) {
        let path = lexical(path);
        if self.known.contains(&shelf.name_of(&path)) {
            return;
        }
        if let Some(place) = place.directory(&path, &mut self.links) {
            self.known.insert(shelf.name_of(&path));
            self.found.push(Location {
                shelf: shelf.clone(),
                path,
                place,
            });
        }
    }
}

/// The tree of a native location: the snapshot's root holds them by number.
fn shelf<'t, 'l>(root: &'t Directory, index: usize, location: &'l str) -> Option<(Arc<Shelf>, Place<'t>, &'l str)> {
    let number = index.to_string();
    let Some(Node::Directory(directory)) = root.entries.get(number.as_str()) else {
        return None;
    };
    let (fixed, rest) = Layout::fixed_part(location);
    let shelf = Shelf {
        name: without_host(fixed).into(),
        prefix: format!("{number}/"),
    };
    Some((Arc::new(shelf), Place::root_of(directory), rest))
}

/// `file:///x` and `file://localhost/x` are `file:/x` in the names of sources.
fn without_host(location: &str) -> Cow<'_, str> {
    match location.strip_prefix("file://") {
        Some(rest) => format!("file:{}", rest.strip_prefix("localhost").unwrap_or(rest)).into(),
        None => location.into(),
    }
}

/// `path` without empty names and `.`, and with `..` taken by what stands before it.
pub(super) fn lexical(path: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." if names.last().is_some_and(|last| *last != "..") => {
                names.pop();
            }
            name => names.push(name),
        }
    }
    names.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_native_location_is_cut_where_the_request_begins_to_matter() {
        assert_eq!(Layout::fixed_part("file:/etc/config/"), ("file:/etc/config", ""));
        assert_eq!(
            Layout::fixed_part("file:/etc/{application}/{profile}"),
            ("file:/etc", "{application}/{profile}")
        );
        assert_eq!(
            Layout::fixed_part("file:/etc/app-{application}/x"),
            ("file:/etc", "app-{application}/x")
        );
        assert_eq!(Layout::fixed_part("file:/etc/x*/y"), ("file:/etc", "x*/y"));
        assert_eq!(Layout::fixed_part("file:/"), ("file:", ""));
    }

    #[test]
    fn paths_are_made_plain() {
        assert_eq!(lexical("/a//./b/"), "a/b");
        assert_eq!(lexical("a/b/../c"), "a/c");
        assert_eq!(lexical("../a"), "../a");
    }
}
