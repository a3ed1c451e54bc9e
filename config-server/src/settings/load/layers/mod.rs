//! The property sources of the server's own settings, lowest precedence first: files, profile files,
//! environment, arguments.

mod arguments;
mod environment;
mod files;
mod imports;

use super::Sources;
use super::fault::{Reason, SettingFault};
use super::known::Table;
use super::origin::Written;
use super::view::commas;

pub use files::{Disk, Files};

/// What was written, and with which profiles it was read.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    /// Lowest precedence first.
    pub(crate) layers: Vec<Vec<Written>>,
    pub(crate) profiles: Vec<String>,
    pub(crate) faults: Vec<SettingFault>,
}

/// How often files may import files that import files.
const IMPORT_ROUNDS: usize = 4;

/// Reads every source. The files are read again once they have said which profiles and which other
/// files count.
pub(crate) fn read(sources: &Sources<'_>, table: &Table) -> Layers {
    let mut faults = Vec::new();
    let above = [
        environment::variables(sources.environment, table),
        environment::json(sources.environment, &mut faults),
        arguments::properties(sources.arguments),
    ];
    let mut places = files::Places::new(&Outer(&above), &mut faults);
    let mut profiles = Profiles::of(&above.iter().collect::<Vec<_>>());
    profiles.fill_from(&files::read(sources.files, &places, &[]).layers);
    let profiles = profiles.list();
    let mut read = files::read(sources.files, &places, &profiles);
    let mut imports = imports::Imports::of(&read.layers, sources.files);
    for _ in 0..IMPORT_ROUNDS {
        if !places.extend(&imports.locations) {
            break;
        }
        read = files::read(sources.files, &places, &profiles);
        imports = imports::Imports::of(&read.layers, sources.files);
    }
    faults.extend(read.faults);
    faults.extend(imports.faults);
    Layers {
        layers: read.layers.into_iter().chain(imports.trees).chain(above).collect(),
        profiles,
        faults,
    }
}

/// The sources above the files: they say where the files are.
struct Outer<'l>(&'l [Vec<Written>]);

impl Outer<'_> {
    fn find(&self, name: &str) -> Option<&Written> {
        let wanted = super::key::uniform(name);
        let mut all = self.0.iter().rev().flat_map(|layer| layer.iter().rev());
        all.find(|written| super::key::uniform(&written.key) == wanted)
    }

    fn list(&self, name: &str) -> Option<Vec<String>> {
        self.find(name).map(|written| commas(&written.text))
    }
}

/// The server's own profiles: the highest source that names the active ones decides; included ones
/// add up.
#[derive(Debug, Default)]
struct Profiles {
    active: Option<Vec<String>>,
    included: Vec<String>,
}

impl Profiles {
    /// `layers` are lowest first.
    fn of(layers: &[&Vec<Written>]) -> Self {
        let mut profiles = Self::default();
        for layer in layers.iter().rev() {
            profiles.active = profiles.active.or_else(|| named(layer, "spring.profiles.active"));
            profiles
                .included
                .extend(named(layer, "spring.profiles.include").unwrap_or_default());
        }
        profiles
    }

    fn fill_from(&mut self, files: &[Vec<Written>]) {
        let below = Self::of(&files.iter().collect::<Vec<_>>());
        self.active = self.active.take().or(below.active);
    }

    fn list(self) -> Vec<String> {
        let mut list: Vec<String> = Vec::new();
        for profile in self.active.unwrap_or_default().into_iter().chain(self.included) {
            if !list.contains(&profile) {
                list.push(profile);
            }
        }
        list
    }
}

/// A list of one layer: commas, or items.
fn named(layer: &[Written], name: &str) -> Option<Vec<String>> {
    let wanted = super::key::uniform(name);
    let is_item = |key: &str| key.strip_prefix(&wanted).is_some_and(|rest| rest.starts_with('['));
    let mut found = None;
    for written in layer {
        let key = super::key::uniform(&written.key);
        if key == wanted || is_item(&key) {
            found.get_or_insert_with(Vec::new).extend(commas(&written.text));
        }
    }
    found
}

fn unreadable(key: &str, message: impl Into<String>) -> SettingFault {
    SettingFault::absent(key, Reason::Unreadable(message.into()))
}
