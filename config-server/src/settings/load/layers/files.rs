//! The settings files. They are found and read by the very rules the server serves files by: a
//! tree is made of the directories that may hold them, and the engine resolves it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use super::{Outer, unreadable};
use crate::engine::document::{Format, Limits};
use crate::engine::query::Query;
use crate::engine::resolve::{Broken, Layout, Source, resolve};
use crate::engine::tree::{Blob, ContentId, Directory, Node};
use crate::engine::value::{Property, Value};
use crate::settings::load::fault::SettingFault;
use crate::settings::load::origin::{Origin, Written};
use crate::settings::load::view::{commas, file_location};

/// Where settings files are read from.
pub trait Files: fmt::Debug {
    /// The names of the files in a directory; none where there is no directory.
    fn list(&self, directory: &Path) -> Vec<String>;

    /// A file's content; `None` where there is no file.
    ///
    /// # Errors
    /// Why a file that is there cannot be read.
    fn read(&self, path: &Path) -> std::io::Result<Option<Vec<u8>>>;
}

/// The disk, relative to the working directory.
#[derive(Debug, Clone, Copy)]
pub struct Disk;

/// Which files there may be, by `spring.config.*`.
#[derive(Debug)]
pub(super) struct Places {
    names: Vec<String>,
    /// Lowest precedence first; a directory ends in `/`.
    locations: Vec<String>,
}

impl Places {
    pub(super) fn new(outer: &Outer<'_>, faults: &mut Vec<SettingFault>) -> Self {
        let names = outer.list("spring.config.name").filter(|names| !names.is_empty());
        let first = outer.list("spring.config.location");
        let mut listed = first.unwrap_or_else(|| commas("./,./config/"));
        listed.extend(outer.list("spring.config.additional-location").unwrap_or_default());
        let mut locations = Vec::new();
        for location in listed.iter().flat_map(|text| text.split(';')) {
            let place = location.trim().trim_start_matches("optional:");
            match place.split_once(':') {
                Some(("file", _)) | None => locations.push(file_location(place).to_owned()),
                Some(("classpath", _)) => {}
                Some(_) => faults.push(unreadable(
                    "spring.config.location",
                    "only files and directories are read",
                )),
            }
        }
        Self {
            names: names.unwrap_or_else(|| vec!["application".into()]),
            locations,
        }
    }

    /// Adds further locations, which win over the ones before; whether there were any new ones.
    pub(super) fn extend(&mut self, more: &[String]) -> bool {
        let known = self.locations.len();
        for location in more {
            if !self.locations.contains(location) {
                self.locations.push(location.clone());
            }
        }
        self.locations.len() > known
    }
}

/// What the files hold.
#[derive(Debug, Default)]
pub(super) struct FileLayers {
    /// Lowest precedence first, one layer for each document.
    pub(super) layers: Vec<Vec<Written>>,
    pub(super) faults: Vec<SettingFault>,
}

/// Reads the files of `places` for `profiles`.
pub(super) fn read(files: &dyn Files, places: &Places, profiles: &[String]) -> FileLayers {
    let mut read = FileLayers::default();
    let mut shelf = Shelf::default();
    for location in &places.locations {
        shelf.add_location(files, location, &places.names, &mut read.faults);
    }
    let layout = Layout::Repository {
        uri: "".into(),
        search_paths: shelf.search_paths().into(),
        reverse_location_order: false,
    };
    let query = query(&places.names, profiles);
    match resolve(&shelf.root(), &layout, "", &query, &Limits::default()) {
        Ok(sources) => read.layers = sources.iter().rev().map(|source| shelf.layer(source)).collect(),
        Err(Broken::File { path, fault }) => {
            let path = shelf.real_path(&path);
            read.faults.push(unreadable(&path, fault.to_string()));
        }
        Err(broken @ Broken::SearchPath(..)) => read
            .faults
            .push(unreadable("spring.config.location", broken.to_string())),
    }
    read
}

/// One property as it stands in a document.
pub(super) fn written(property: &Property, origin: Origin) -> Written {
    Written::new(&*property.key, text_of(&property.value), origin)
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Integer(value) => value.to_string(),
        Value::BigInteger(text) | Value::Text(text) => text.to_string(),
        Value::Double(value) => value.to_string(),
        Value::Bytes(_) => String::new(),
    }
}

fn query(names: &[String], profiles: &[String]) -> Query {
    let profiles = match profiles {
        [] => vec!["default".to_owned()],
        profiles => profiles.to_vec(),
    };
    Query {
        name: names.join(","),
        applications: names.to_vec(),
        profiles_text: profiles.join(","),
        profiles,
        label: None,
    }
}

/// The locations as one tree: each is a directory named by its rank, so that the engine's order of
/// search paths is the order of locations.
#[derive(Debug, Default)]
struct Shelf {
    directories: Vec<BTreeMap<Arc<str>, Node>>,
    /// Where a path of the tree really is.
    real: BTreeMap<String, String>,
}

impl Shelf {
    fn add_location(&mut self, files: &dyn Files, location: &str, names: &[String], faults: &mut Vec<SettingFault>) {
        let (directory, single) = match location.rsplit_once('/') {
            Some((directory, "")) => (format!("{directory}/"), None),
            Some((directory, file)) => (format!("{directory}/"), Some(file)),
            None if Format::of(location).is_some() => (String::new(), Some(location)),
            None => (format!("{location}/"), None),
        };
        let mut entries = BTreeMap::new();
        for file in files.list(Path::new(&directory)) {
            let Some(shelved) = shelved_name(&file, single, names) else {
                continue;
            };
            let path = format!("{directory}{file}");
            match files.read(Path::new(&path)) {
                Ok(Some(bytes)) => {
                    self.real
                        .insert(format!("{}/{shelved}", self.directories.len()), shown(&path));
                    entries.insert(shelved.into(), node(bytes));
                }
                Ok(None) => {}
                Err(error) => faults.push(unreadable(&shown(&path), error.to_string())),
            }
        }
        self.directories.push(entries);
    }

    fn search_paths(&self) -> Vec<String> {
        (0..self.directories.len()).map(|rank| rank.to_string()).collect()
    }

    fn root(&self) -> Directory {
        let directory = |(rank, entries): (usize, &BTreeMap<Arc<str>, Node>)| {
            let name: Arc<str> = rank.to_string().into();
            let directory = Directory {
                id: ContentId::new(&name),
                entries: entries.clone(),
            };
            (name, Node::Directory(Arc::new(directory)))
        };
        Directory {
            id: ContentId::new("settings"),
            entries: self.directories.iter().enumerate().map(directory).collect(),
        }
    }

    fn layer(&self, source: &Source) -> Vec<Written> {
        let path: Arc<str> = self.real_path(&source.name).into();
        let origin = |property: &Property| Origin::File {
            path: Arc::clone(&path),
            at: property.origin.map(|at| (at.line, at.column)),
        };
        source
            .properties
            .iter()
            .map(|property| written(property, origin(property)))
            .collect()
    }

    /// A source's name is its path, with the number of the document when there are several.
    fn real_path(&self, name: &str) -> String {
        let path = name
            .split(" (document #")
            .next()
            .unwrap_or(name)
            .trim_start_matches('/');
        self.real.get(path).cloned().unwrap_or_else(|| path.to_owned())
    }
}

/// The name under which the engine looks for a file: its own, unless the location is a `single`
/// file, whose stem then stands in for the first of `names`. `None` for files that would be loaded
/// without being asked for.
fn shelved_name(file: &str, single: Option<&str>, names: &[String]) -> Option<String> {
    Format::of(file)?;
    if let Some(name) = single.and_then(|single| variant(file, single, &names[0])) {
        return Some(name);
    }
    let is_named = names.iter().any(|name| is_of(file, name));
    let is_loaded = match single {
        Some(_) => is_named || is_of(file, "application"),
        // The engine always looks for `application`, which counts here only when it is a name.
        None => !is_named && is_of(file, "application"),
    };
    (!is_loaded).then(|| file.to_owned())
}

/// `file` is `single` or its variant for a profile: its name with `name` as the stem.
fn variant(file: &str, single: &str, name: &str) -> Option<String> {
    let (stem, extension) = single.rsplit_once('.')?;
    let rest = file.strip_prefix(stem)?.strip_suffix(extension)?;
    let fits = rest == "." || (rest.starts_with('-') && rest.ends_with('.'));
    fits.then(|| format!("{name}{rest}{extension}"))
}

fn is_of(file: &str, name: &str) -> bool {
    file.strip_prefix(name).is_some_and(|rest| rest.starts_with(['.', '-']))
}

fn node(bytes: Vec<u8>) -> Node {
    // Content needs a name only where it is compared; here it is read once.
    Node::File(Arc::new(Blob::new(
        ContentId::new("settings"),
        Bytes::from(bytes),
        None,
    )))
}

fn shown(path: &str) -> String {
    path.trim_start_matches("./").to_owned()
}

impl Files for Disk {
    fn list(&self, directory: &Path) -> Vec<String> {
        let directory = if directory.as_os_str().is_empty() {
            Path::new(".")
        } else {
            directory
        };
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        entries
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect()
    }

    fn read(&self, path: &Path) -> std::io::Result<Option<Vec<u8>>> {
        match std::fs::read(path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == std::io::ErrorKind::IsADirectory => Ok(None),
            Err(error) => Err(error),
        }
    }
}
