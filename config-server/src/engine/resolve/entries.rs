//! The documents a search has taken so far, and how they rank.

use std::ops::{Index, IndexMut};
use std::sync::Arc;

use super::Source;
use super::location::Location;
use super::prepared::{Directives, Gate, Prepared};

/// Files are loaded twice: without profiles, which is when they may add some, and with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    WithoutProfiles,
    WithProfiles,
}

/// A file that was taken.
#[derive(Debug)]
pub(super) struct Taken<'t> {
    /// Where it stands, for what it imports.
    pub(super) location: Location<'t>,
    /// As sources are named after it.
    pub(super) name: Arc<str>,
    /// From the snapshot's root, for faults.
    pub(super) path: Arc<str>,
    pub(super) prepared: Arc<Prepared>,
}

/// One document of a taken file, and what it imported.
#[derive(Debug)]
pub(super) struct Entry<'t> {
    pub(super) file: Arc<Taken<'t>>,
    document: usize,
    pub(super) active: bool,
    pub(super) imported: Imported,
}

/// Entries by their index, strongest first.
#[derive(Debug, Default)]
pub(super) struct Imported {
    with_profiles: Vec<usize>,
    without_profiles: Vec<usize>,
}

/// All of them. An index stays valid for the whole search.
#[derive(Debug, Default)]
pub(super) struct Entries<'t> {
    all: Vec<Entry<'t>>,
    /// What the locations themselves gave.
    pub(super) top: Imported,
}

impl<'t> Entries<'t> {
    /// Adds the documents of a file to `loaded`, the last one first: it is the strongest.
    pub(super) fn add(&mut self, file: Taken<'t>, loaded: &mut Vec<usize>) {
        let file = Arc::new(file);
        for document in (0..file.prepared.documents.len()).rev() {
            loaded.push(self.all.len());
            self.all.push(Entry {
                active: matches!(file.prepared.directives[document].gate, Gate::Always),
                file: file.clone(),
                document,
                imported: Imported::default(),
            });
        }
    }

    /// All entries, strongest first: above a document what it imported, profile variants on top.
    pub(super) fn in_order(&self) -> Vec<&Entry<'t>> {
        let mut order = Vec::with_capacity(self.all.len());
        self.add_in_order(&self.top, &mut order);
        order
    }

    fn add_in_order<'e>(&'e self, imported: &Imported, order: &mut Vec<&'e Entry<'t>>) {
        for index in imported.with_profiles.iter().chain(&imported.without_profiles) {
            let entry = &self.all[*index];
            self.add_in_order(&entry.imported, order);
            order.push(entry);
        }
    }

    /// The sources of the active entries, highest precedence first.
    pub(super) fn sources(&self) -> Vec<Source> {
        let active = self.in_order().into_iter().filter(|entry| entry.active);
        active.map(Entry::source).collect()
    }
}

impl<'t> Index<usize> for Entries<'t> {
    type Output = Entry<'t>;

    fn index(&self, index: usize) -> &Entry<'t> {
        &self.all[index]
    }
}

impl<'t> IndexMut<usize> for Entries<'t> {
    fn index_mut(&mut self, index: usize) -> &mut Entry<'t> {
        &mut self.all[index]
    }
}

impl Imported {
    pub(super) fn of(&mut self, phase: Phase) -> &mut Vec<usize> {
        match phase {
            Phase::WithoutProfiles => &mut self.without_profiles,
            Phase::WithProfiles => &mut self.with_profiles,
        }
    }
}

impl Entry<'_> {
    pub(super) fn directives(&self) -> &Directives {
        &self.file.prepared.directives[self.document]
    }

    fn source(&self) -> Source {
        let documents = &self.file.prepared.documents;
        let document = &documents[self.document];
        let name = match documents.len() {
            1 => self.file.name.clone(),
            _ => format!("{} (document #{})", self.file.name, document.index).into(),
        };
        Source {
            name,
            properties: document.properties.clone(),
        }
    }
}
