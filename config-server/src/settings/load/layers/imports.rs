//! `spring.config.import` in settings files: files elsewhere, and directories that hold a value in
//! each file (`configtree:`, as secrets are mounted). Neighbours of the importing file are followed
//! by the engine.

use std::path::{Path, PathBuf};

use super::files::Files;
use super::named;
use crate::settings::load::fault::{Reason, SettingFault};
use crate::settings::load::origin::{Origin, Written};
use crate::settings::load::view::file_location;

const NAME: &str = "spring.config.import";
/// Directories in directories of a `configtree:`.
const DEPTH: usize = 8;

/// What the files read so far import.
#[derive(Debug, Default)]
pub(super) struct Imports {
    /// Files the engine does not follow: they count like further locations.
    pub(super) locations: Vec<String>,
    /// One layer for each `configtree:`.
    pub(super) trees: Vec<Vec<Written>>,
    pub(super) faults: Vec<SettingFault>,
}

impl Imports {
    /// `layers` are lowest precedence first.
    pub(super) fn of(layers: &[Vec<Written>], files: &dyn Files) -> Self {
        let mut imports = Self::default();
        for layer in layers {
            for import in named(layer, NAME).unwrap_or_default() {
                let origin = layer.iter().find(|written| written.key.starts_with(NAME));
                let origin = origin.map(|written| written.origin.clone());
                if let Err(reason) = imports.add(&import, origin.as_ref(), files) {
                    let key = format!("{NAME}: `{import}`");
                    imports.faults.push(SettingFault { key, origin, reason });
                }
            }
        }
        imports
    }

    fn add(&mut self, import: &str, origin: Option<&Origin>, files: &dyn Files) -> Result<(), Reason> {
        let (required, place) = match import.strip_prefix("optional:") {
            Some(place) => (false, place),
            None => (true, import),
        };
        let absent = || Err(Reason::Unreadable("there is no such file".into()));
        match place.split_once(':') {
            Some(("configtree", directory)) => match tree(files, Path::new(directory)) {
                tree if tree.is_empty() && required => return absent(),
                tree => self.trees.push(tree),
            },
            Some(("file", _)) | None => {
                let path = resolved(file_location(place), origin);
                let found = !files.list(&path).is_empty() || files.read(&path).is_ok_and(|read| read.is_some());
                if !found && required {
                    return absent();
                }
                if found && is_elsewhere(place) {
                    self.locations.push(path.display().to_string());
                }
            }
            Some(_) if required => return Err(Reason::NotSupported("files and `configtree:` can be imported")),
            Some(_) => {}
        }
        Ok(())
    }
}

/// The engine follows what stands beside or below the importing file.
fn is_elsewhere(place: &str) -> bool {
    let path = Path::new(file_location(place));
    path.is_absolute() || path.components().any(|part| part == std::path::Component::ParentDir)
}

/// A relative path starts at the importing file.
fn resolved(place: &str, origin: Option<&Origin>) -> PathBuf {
    let beside = match origin {
        Some(Origin::File { path, .. }) => Path::new(&**path).parent(),
        _ => None,
    };
    beside.unwrap_or(Path::new("")).join(place.trim_start_matches("./"))
}

/// `db/password` holds the value of `db.password`.
fn tree(files: &dyn Files, directory: &Path) -> Vec<Written> {
    let mut found = Vec::new();
    collect(files, directory, "", DEPTH, &mut found);
    found
}

fn collect(files: &dyn Files, directory: &Path, prefix: &str, depth: usize, found: &mut Vec<Written>) {
    // Mounted secrets keep older versions in directories that begin with dots.
    let mut names: Vec<String> = files
        .list(directory)
        .into_iter()
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    for name in names {
        let (path, key) = (directory.join(&name), format!("{prefix}{name}"));
        match files.read(&path) {
            Ok(Some(bytes)) => {
                let text = String::from_utf8_lossy(&bytes);
                let origin = Origin::File {
                    path: path.display().to_string().into(),
                    at: None,
                };
                found.push(Written::new(key, text.strip_suffix('\n').unwrap_or(&text), origin));
            }
            _ if depth > 0 => collect(files, &path, &format!("{key}."), depth - 1, found),
            _ => {}
        }
    }
}
