//! Which applications, profiles and files a tree holds, by its file names.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::document::{Format, Limits};
use crate::engine::query::{DEFAULT_PROFILE, SHARED_APPLICATION};
use crate::engine::resolve::Prepared;
use crate::engine::tree::{Directory, Node};

const ON_PROFILE: &str = "spring.config.activate.on-profile";

/// What there is to ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Inventory {
    /// Names of configuration files, without extension.
    stems: BTreeSet<String>,
    /// Profiles that documents are for, or that files add.
    named: BTreeSet<String>,
    /// Directories, which search paths may name after applications.
    directories: BTreeSet<String>,
    /// Paths of all files.
    pub(super) files: BTreeSet<String>,
}

impl Inventory {
    /// Takes in what is below `root`.
    pub(super) fn add(&mut self, root: &Directory) {
        self.walk(root, "");
    }

    /// Every application and its profiles: its own, those every application has, and the default.
    pub(super) fn applications(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut applications: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for stem in &self.stems {
            let (application, profile) = self.split(stem);
            applications.entry(application).or_default().extend(profile);
        }
        for directory in &self.directories {
            applications.entry(directory).or_default();
        }
        let mut shared = applications.get(SHARED_APPLICATION).cloned().unwrap_or_default();
        shared.insert(DEFAULT_PROFILE);
        shared.extend(self.named.iter().map(String::as_str));
        applications.entry(SHARED_APPLICATION).or_default();
        applications.values_mut().for_each(|profiles| profiles.extend(&shared));
        applications
    }

    /// `orders-dev` is the profile `dev` of `orders` when there is an `orders`, else an application.
    fn split<'s>(&self, stem: &'s str) -> (&'s str, Option<&'s str>) {
        let mut hyphens = stem.match_indices('-').map(|(at, _)| (&stem[..at], &stem[at + 1..]));
        let known = hyphens.find(|(name, _)| *name == SHARED_APPLICATION || self.stems.contains(*name));
        known.map_or((stem, None), |(name, profile)| (name, Some(profile)))
    }

    fn walk(&mut self, directory: &Directory, path: &str) {
        for (name, node) in &directory.entries {
            match node {
                Node::Directory(inner) => {
                    self.directories.insert(name.to_string());
                    self.walk(inner, &format!("{path}{name}/"));
                }
                Node::File(blob) => {
                    self.files.insert(format!("{path}{name}"));
                    if let Some(format) = Format::of(name) {
                        let stem = &name[..name.len() - format.extension().len() - 1];
                        self.stems.insert(stem.to_owned());
                        if let Ok(prepared) = blob.prepared(format, &Limits::default()) {
                            self.named.extend(profiles(&prepared));
                        }
                    }
                }
                Node::Link(_) => {
                    self.files.insert(format!("{path}{name}"));
                }
            }
        }
    }
}

/// The profiles that a file's documents are for, and those it adds.
fn profiles(file: &Prepared) -> BTreeSet<String> {
    let properties = file.documents.iter().flat_map(|document| document.properties.iter());
    let conditions = properties.filter(|property| property.key.starts_with(ON_PROFILE));
    let conditions: Vec<String> = conditions.map(|property| property.value.to_string()).collect();
    let texts = file.added_profiles().chain(conditions.iter().map(String::as_str));
    texts.flat_map(names).map(str::to_owned).collect()
}

/// The names in an expression (`dev & !cloud`); a placeholder is none.
fn names(expression: &str) -> impl Iterator<Item = &str> {
    let plain = if expression.contains("${") { "" } else { expression };
    let inner = |c: char| c.is_alphanumeric() || "-_.+@".contains(c);
    plain
        .split(move |c| !inner(c))
        .filter(|name| name.starts_with(char::is_alphanumeric))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::tree::TreeBuilder;

    #[test]
    fn names_of_files_are_split_at_the_application_that_exists() {
        let mut builder = TreeBuilder::default();
        let conditional = "a: 1\n---\nspring.config.activate.on-profile: '!cloud | eu'\n";
        builder.file("orders.yml", conditional, None).expect("a path");
        for path in [
            "application.yml",
            "application-eu.yml",
            "orders-dev.yml",
            "storefront-web.yml",
            "svc/t.txt",
        ] {
            builder.file(path, "", None).expect("a path");
        }
        let mut inventory = Inventory::default();
        inventory.add(&builder.build());
        let told: Vec<String> = inventory
            .applications()
            .into_iter()
            .map(|(application, profiles)| {
                format!("{application}: {}", profiles.into_iter().collect::<Vec<_>>().join(","))
            })
            .collect();
        assert_eq!(
            told,
            [
                "application: cloud,default,eu",
                "orders: cloud,default,dev,eu",
                "storefront-web: cloud,default,eu",
                "svc: cloud,default,eu",
            ]
        );
        assert!(inventory.files.contains("svc/t.txt"));
    }
}
