//! Where a query looks: the directories of a layout, in rising precedence (contract 2.4, 2.6).

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use super::{Broken, Layout};
use crate::engine::document::Limits;
use crate::engine::query::Query;
use crate::engine::tree::{Directory, Node, Place};

/// A tree that files are looked for in, and how they are called.
#[derive(Debug)]
pub(super) struct Shelf {
    /// Begins the names of sources.
    pub(super) name: Arc<str>,
    /// Begins the paths of files in messages, ending in `/`; empty for a repository.
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

/// Gathers the directories that exist, each once.
#[derive(Debug)]
struct Locations<'t, 'q> {
    label: &'q str,
    query: &'q Query,
    limits: &'q Limits,
    found: Vec<Location<'t>>,
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

    /// What stands for a native location in messages, whose real path is nobody's business: the
    /// setting that names it.
    #[must_use]
    pub fn shown_location(index: usize) -> String {
        format!("search-locations[{index}]")
    }
}

impl Shelf {
    /// The name of the file at `path`.
    pub(super) fn name_of(&self, path: &str) -> String {
        format!("{}/{path}", self.name)
    }

    /// The path of a file, for messages.
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
///
/// # Errors
/// [`Broken::SearchPath`] for a pattern that passes `limits`.
pub(super) fn locations<'t>(
    root: &'t Directory,
    layout: &Layout,
    label: &str,
    query: &Query,
    limits: &Limits,
) -> Result<Vec<Location<'t>>, Broken> {
    let mut locations = Locations {
        label,
        query,
        limits,
        found: Vec::new(),
        known: HashSet::new(),
    };
    match layout {
        Layout::Repository { uri, search_paths, .. } => {
            let shelf = Arc::new(Shelf {
                name: uri.clone(),
                prefix: String::new(),
            });
            let place = Place::root_of(root);
            locations.add(&shelf, &place, "");
            for pattern in search_paths.iter() {
                locations.add_expanded(&shelf, &place, pattern)?;
            }
        }
        Layout::Native {
            locations: written,
            add_label_locations,
        } => locations.add_native(root, written, *add_label_locations)?,
    }
    Ok(locations.found)
}

impl<'t> Locations<'t, '_> {
    fn add_native(&mut self, root: &'t Directory, written: &[String], add_labels: bool) -> Result<(), Broken> {
        let shelves: Vec<_> = written
            .iter()
            .enumerate()
            .filter_map(|(index, location)| shelf(root, index, location))
            .collect();
        for (shelf, place, rest) in &shelves {
            self.add_expanded(shelf, place, rest)?;
        }
        if !add_labels {
            return Ok(());
        }
        // Of several labels the first is the strongest here, other than in git.
        let labels = self.label.split(',').map(str::trim);
        for label in labels.filter(|label| !label.is_empty()).rev() {
            self.label = label;
            for (shelf, place, rest) in &shelves {
                self.add_expanded(shelf, place, &format!("{rest}/{label}"))?;
            }
        }
        Ok(())
    }

    /// Adds what a search path means for every profile and application asked for.
    fn add_expanded(&mut self, shelf: &Arc<Shelf>, place: &Place<'t>, pattern: &str) -> Result<(), Broken> {
        let is_glob = pattern.contains(['*', '?']);
        for profile in &self.query.profiles {
            for application in &self.query.applications {
                let path = pattern
                    .replace("{application}", application)
                    .replace("{profile}", profile)
                    .replace("{label}", self.label);
                if !is_glob {
                    self.add(shelf, place, &path);
                    continue;
                }
                let matching = place.matching(&path, self.limits);
                for path in matching.map_err(|error| Broken::SearchPath(path, error))? {
                    self.add(shelf, place, &path);
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, shelf: &Arc<Shelf>, place: &Place<'t>, path: &str) {
        let path = lexical(path);
        if self.known.contains(&shelf.name_of(&path)) {
            return;
        }
        if let Some(place) = place.directory(&path) {
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
        prefix: format!("{}/", Layout::shown_location(index)),
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
