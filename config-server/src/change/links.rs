//! What makes a file be read under another name than its own: imports, profiles that include
//! profiles, symbolic links.
//!
//! The naming rules alone would say too little of such a file. What is gathered here is taken from
//! the commit itself, and not from what some application happened to ask for, so every server says
//! the same of one move, after a restart, too.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use contract::{Affects, Scope};

use crate::engine::diff::Change;
use crate::engine::document::{Format, Limits};
use crate::engine::query::SHARED_APPLICATION;
use crate::engine::tree::{Blob, ContentId, Directory, Node};

/// Files and directories whose links are remembered.
const REMEMBERED: usize = 200_000;

/// The links of one tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Links {
    /// Stems of imported files; their profile variants are imported with them.
    imported: BTreeSet<Arc<str>>,
    /// Last names of imported directories and of what symbolic links point to.
    reached: BTreeSet<Arc<str>>,
    /// Profiles that come with another profile.
    included: BTreeSet<Arc<str>>,
    /// Something is linked by a name that only a request decides.
    open: bool,
}

/// The links of files and directories seen before, by content: a commit costs what it changed.
#[derive(Debug, Default)]
pub struct Memory {
    directories: HashMap<ContentId, Arc<Links>>,
    files: HashMap<(ContentId, Format), Arc<Links>>,
}

impl Memory {
    /// The links below `directory`.
    pub fn links(&mut self, directory: &Directory) -> Arc<Links> {
        if let Some(known) = self.directories.get(&directory.id) {
            return known.clone();
        }
        let mut links = Links::default();
        for (name, node) in &directory.entries {
            match node {
                Node::Directory(inner) => links.add(&self.links(inner)),
                Node::Link(target) => links.reach(target),
                Node::File(blob) => {
                    if let Some(format) = Format::of(name) {
                        links.add(&self.links_of_file(blob, format));
                    }
                }
            }
        }
        let links = Arc::new(links);
        forget_when_full(&mut self.directories);
        self.directories.insert(directory.id.clone(), links.clone());
        links
    }

    fn links_of_file(&mut self, blob: &Blob, format: Format) -> Arc<Links> {
        forget_when_full(&mut self.files);
        let links = self.files.entry((blob.id.clone(), format));
        links.or_insert_with(|| Arc::new(Links::of_file(blob, format))).clone()
    }
}

/// All of it: what is still in use is soon there again.
fn forget_when_full<K, V>(map: &mut HashMap<K, V>) {
    if map.len() >= REMEMBERED {
        map.clear();
    }
}

impl Links {
    /// `affects` and whoever reaches one of `changes` by a link as well.
    #[must_use]
    pub fn widen(&self, changes: &[Change], affects: Affects) -> Affects {
        let Affects::Scopes(named) = affects else {
            return Affects::All;
        };
        if self.open && !changes.is_empty() {
            return Affects::All;
        }
        let linked = changes.iter().flat_map(|change| self.scopes(&change.path));
        Affects::union(named.into_iter().chain(linked))
    }

    /// Takes in what `other` holds.
    pub fn add(&mut self, other: &Self) {
        self.imported.extend(other.imported.iter().cloned());
        self.reached.extend(other.reached.iter().cloned());
        self.included.extend(other.included.iter().cloned());
        self.open |= other.open;
    }

    /// Who reads `path` by a link.
    fn scopes(&self, path: &str) -> Vec<Scope> {
        let everybody = Scope::new(None, None);
        let name = last_name(path);
        let stem = Format::of(name).map_or(name, |format| &name[..name.len() - format.extension().len() - 1]);
        let imported = |import: &Arc<str>| {
            stem.strip_prefix(&**import)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        if path.split('/').any(|part| self.reached.contains(part)) || self.imported.iter().any(imported) {
            return vec![everybody];
        }
        let with_profile = |profile: &Arc<str>| stem.strip_suffix(&**profile)?.strip_suffix('-');
        let applications = self.included.iter().filter_map(with_profile);
        applications.flat_map(|application| below(path, application)).collect()
    }

    fn of_file(blob: &Blob, format: Format) -> Self {
        let mut links = Self::default();
        // Nearly no file has a link, and reading its text once is cheaper than keeping it parsed.
        let words = [&b"import"[..], b"include", b"group"];
        if !mentions(&blob.bytes, b"spring") || !words.iter().any(|word| mentions(&blob.bytes, word)) {
            return links;
        }
        // Nobody is served from a file that cannot be read, and when it can be, it has changed.
        let Ok(prepared) = blob.prepared(format, &Limits::default()) else {
            return links;
        };
        prepared
            .imports()
            .flat_map(|import| import.split(';'))
            .for_each(|import| links.import(import.trim()));
        for profile in prepared.added_profiles() {
            links.open |= profile.contains("${");
            links.included.insert(profile.into());
        }
        links
    }

    /// `optional:file:shared/db.yml[.yml]` imports the stem `db`.
    fn import(&mut self, location: &str) {
        if location.contains("${") || location.contains('*') {
            self.open = true;
            return;
        }
        let location = location.split('[').next().unwrap_or_default();
        if let Some(directory) = location.strip_suffix('/') {
            return self.reach(directory);
        }
        let name = last_name(location);
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        self.imported.insert(stem.into());
    }

    fn reach(&mut self, target: &str) {
        match last_name(target.trim_end_matches('/')) {
            "" | "." | ".." => self.open = true,
            name => {
                self.reached.insert(name.into());
            }
        }
    }
}

/// The application of a file in the directory of `path`: its own name, or with directories in front.
fn below(path: &str, application: &str) -> Vec<Scope> {
    if application == SHARED_APPLICATION {
        return vec![Scope::new(None, None)];
    }
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    let parents = directory.rmatch_indices('/').map(|(at, _)| &directory[at + 1..]);
    let parents = parents.chain([directory]).filter(|parents| !parents.is_empty());
    let names = parents.map(|parents| format!("{parents}/{application}"));
    names
        .chain([application.to_owned()])
        .map(|name| Scope::new(Some(&name), None))
        .collect()
}

fn last_name(path: &str) -> &str {
    path.rsplit(['/', ':']).next().unwrap_or(path)
}

/// In any case: keys are compared so.
fn mentions(bytes: &[u8], word: &[u8]) -> bool {
    bytes
        .windows(word.len())
        .any(|window| window.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::diff::ChangeKind;

    fn directory(id: &str, entries: Vec<(&str, Node)>) -> Directory {
        let entries = entries.into_iter().map(|(name, node)| (name.into(), node)).collect();
        let id = ContentId::new(id);
        Directory { id, entries }
    }

    fn file(content: &str) -> Node {
        let id = ContentId::new(content);
        Node::File(Arc::new(Blob::new(id, content.to_owned().into(), None)))
    }

    fn change(path: &str) -> Change {
        Change {
            path: path.into(),
            kind: ChangeKind::Modified,
        }
    }

    /// Whom a change of `path` touches besides `stock`, when the tree holds `entries`.
    fn check(entries: Vec<(&str, Node)>, path: &str, expected: &Affects) {
        let links = Memory::default().links(&directory("root", entries));
        let named = Affects::union([Scope::new(Some("stock"), None)]);
        assert_eq!(links.widen(&[change(path)], named), *expected, "{path}");
    }

    fn stock_and(application: Option<&str>) -> Affects {
        let other = application.map(|name| Scope::new(Some(name), None));
        Affects::union(other.into_iter().chain([Scope::new(Some("stock"), None)]))
    }

    #[test]
    fn an_imported_file_touches_everybody() {
        let tree = || {
            vec![(
                "orders.yml",
                file("spring.config.import: 'optional:file:./shared/db.yml'\n"),
            )]
        };
        check(tree(), "shared/db.yml", &Affects::All);
        check(tree(), "shared/db-dev.properties", &Affects::All);
        check(tree(), "shared/dbx.yml", &stock_and(None));
        let below = || vec![("orders.yml", file("spring.config.import:\n- extra/\n"))];
        check(below(), "extra/a/b.yml", &Affects::All);
        check(below(), "more/b.yml", &stock_and(None));
        let either = || vec![("orders.yml", file("spring.config.import: 'a.yml; b[.yml]'\n"))];
        check(either(), "b", &Affects::All);
        check(either(), "a.yml", &Affects::All);
    }

    #[test]
    fn an_import_that_only_a_request_decides_touches_everybody_always() {
        let tree = vec![("orders.properties", file("Spring.Config.Import=${where}.yml\n"))];
        check(tree, "anything.txt", &Affects::All);
    }

    #[test]
    fn a_file_of_an_included_profile_touches_every_profile() {
        let tree = || {
            let include = file("spring.profiles.include: common, eu\n");
            vec![(
                "nested",
                Node::Directory(Arc::new(directory("nested", vec![("application.yml", include)]))),
            )]
        };
        check(tree(), "orders-common.yml", &stock_and(Some("orders")));
        check(tree(), "orders-eu.yml", &stock_and(Some("orders")));
        check(tree(), "application-eu.yml", &Affects::All);
        check(tree(), "orders-dev.yml", &stock_and(None));
        let below = ["orders", "team/orders", "a/team/orders"].map(|name| Scope::new(Some(name), None));
        let stock = [Scope::new(Some("stock"), None)];
        check(
            tree(),
            "a/team/orders-eu.yml",
            &Affects::union(below.into_iter().chain(stock)),
        );
        let group = vec![("application.yml", file("spring.profiles.group.dev: [debug]\n"))];
        check(group, "orders-debug.yml", &stock_and(Some("orders")));
    }

    #[test]
    fn what_a_symbolic_link_points_to_touches_everybody() {
        let tree = || vec![("orders.yml", Node::Link("shared/base.yml".into()))];
        check(tree(), "shared/base.yml", &Affects::All);
        check(tree(), "shared/other.yml", &stock_and(None));
        check(vec![("x", Node::Link("..".into()))], "y", &Affects::All);
    }

    #[test]
    fn without_links_the_naming_rules_have_the_last_word() {
        let tree = || vec![("orders.yml", file("important: group of includes\n"))];
        check(tree(), "orders.yml", &stock_and(None));
        let links = Memory::default().links(&directory("root", tree()));
        assert_eq!(*links, Links::default());
        assert_eq!(links.widen(&[change("a.yml")], Affects::All), Affects::All);
    }

    #[test]
    fn a_directory_seen_before_is_not_read_again() {
        let mut memory = Memory::default();
        let first = memory.links(&directory(
            "same",
            vec![("a.yml", file("spring.config.import: x.yml\n"))],
        ));
        let second = memory.links(&directory("same", Vec::new()));
        assert!(Arc::ptr_eq(&first, &second));
    }
}
