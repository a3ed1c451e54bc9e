//! The recorded repositories and native directories as trees.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use config_server::engine::resolve::Layout;
use config_server::engine::tree::{Directory, TreeBuilder};

use super::recorded::Suite;
use crate::recorded::{self, data};

const GIT: &str = "spring.cloud.config.server.git.";
const NATIVE: &str = "spring.cloud.config.server.native.";

/// What a suite reads from.
pub(crate) struct Repository {
    pub(crate) layout: Layout,
    /// The trees of a git repository by branch and tag; a native one has a single tree for every label.
    trees: BTreeMap<String, Arc<Directory>>,
    native: Option<Arc<Directory>>,
    default_label: String,
}

impl Repository {
    pub(crate) fn open(suite: &Suite) -> Self {
        if suite.setting("spring.profiles.active") == "native" {
            Self::native(suite)
        } else {
            Self::git(suite)
        }
    }

    /// The label's own text and its tree; `None` for an unknown one.
    pub(crate) fn at(&self, label: Option<&str>) -> Option<(String, Arc<Directory>)> {
        let label = label.unwrap_or(&self.default_label);
        let tree = self.native.as_ref().or_else(|| self.trees.get(label))?;
        Some((label.to_owned(), tree.clone()))
    }

    /// The labels of one request, rising; a native repository takes a list as it stands.
    pub(crate) fn labels(&self, label: Option<&str>) -> Vec<Option<String>> {
        match label {
            Some(list) if self.native.is_none() => list.split(',').map(|label| Some(label.to_owned())).collect(),
            other => vec![other.map(str::to_owned)],
        }
    }

    fn git(suite: &Suite) -> Self {
        let uri = suite.setting(&format!("{GIT}uri"));
        let name = uri.rsplit('/').next().unwrap();
        let search_paths = suite.setting(&format!("{GIT}search-paths"));
        Self {
            layout: Layout::Repository {
                uri: uri.into(),
                search_paths: search_paths
                    .split(',')
                    .filter(|path| !path.is_empty())
                    .map(str::to_owned)
                    .collect(),
                reverse_location_order: false,
            },
            trees: trees(name).unwrap(),
            native: None,
            default_label: suite.setting(&format!("{GIT}default-label")).to_owned(),
        }
    }

    fn native(suite: &Suite) -> Self {
        let locations = suite.setting(&format!("{NATIVE}search-locations"));
        let locations: Vec<String> = locations.split(',').map(str::to_owned).collect();
        let mut tree = TreeBuilder::default();
        for (number, location) in locations.iter().enumerate() {
            let (fixed, _) = Layout::fixed_part(location);
            let directory = fixed.replace("file:/here", data().to_str().unwrap());
            copy(Path::new(&directory), &number.to_string(), &mut tree);
        }
        let default_label = suite.setting(&format!("{NATIVE}default-label"));
        Self {
            layout: Layout::Native {
                locations: locations.into(),
                add_label_locations: suite.setting(&format!("{NATIVE}add-label-locations")) != "false",
            },
            trees: BTreeMap::new(),
            native: Some(tree.build()),
            default_label: if default_label.is_empty() {
                "master"
            } else {
                default_label
            }
            .to_owned(),
        }
    }
}

fn copy(directory: &Path, to: &str, tree: &mut TreeBuilder) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{to}/{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &path, tree);
        } else {
            tree.file(&path, std::fs::read(entry.path()).unwrap(), None).unwrap();
        }
    }
}

/// The tree of every branch and tag.
fn trees(name: &str) -> Result<BTreeMap<String, Arc<Directory>>> {
    let (_directory, repository) = recorded::open(name)?;
    let mut trees = BTreeMap::new();
    for reference in repository.references()? {
        let reference = reference?;
        let files = recorded::files(&repository, &reference.peel_to_tree()?)?;
        let tree = recorded::tree(files)?;
        // A branch wins over a tag of its name; branches come first.
        let label = reference.shorthand().context("a name")?.to_owned();
        trees.entry(label).or_insert(tree);
    }
    Ok(trees)
}
