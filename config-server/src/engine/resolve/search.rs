//! The search itself: Spring Boot's config data rules over the locations of one query.
//!
//! Files are loaded in two phases: first without profiles, which is when files can add profiles;
//! then with them. What a document imports stands above it, what it imports for a profile above
//! that. Within one load the strongest file is taken first, and a file reached again is not taken
//! twice (contract 2.1-2.3).

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashSet;
use std::sync::Arc;

use super::entries::{Entries, Phase, Taken};
use super::expression::Expression;
use super::import::{FileTarget, Target, dotted, targets};
use super::location::Location;
use super::prepared::{Directives, Gate, Prepared, expressions, fault};
use super::profiles::{Groups, activate};
use super::{Broken, Source};
use crate::engine::document::{Fault, Format, Limits};
use crate::engine::placeholder::{Form, Lookup, PlaceholderError, Resolver, has_placeholder};
use crate::engine::query::{DEFAULT_PROFILE, Query};
use crate::engine::tree::FoundFile;

/// Imports that import, one below the other.
const DEEPEST_IMPORT: usize = 64;

/// What is active so far, for the placeholders of directives; gathered when the first one asks.
struct Known<'s, 't> {
    entries: &'s Entries<'t>,
    limits: &'s Limits,
    lookup: OnceCell<Lookup>,
}

/// One query on its way through the files.
#[derive(Debug)]
pub(super) struct Search<'t, 'q> {
    names: Vec<&'q str>,
    limits: &'q Limits,
    profiles: Vec<String>,
    entries: Entries<'t>,
    taken: HashSet<Arc<str>>,
    /// The name being looked up; kept, so that a file that is not there costs no allocation.
    candidate: String,
}

impl<'t, 'q> Search<'t, 'q> {
    pub(super) fn new(query: &'q Query, limits: &'q Limits) -> Self {
        Self {
            names: query.names().collect(),
            limits,
            profiles: Vec::new(),
            entries: Entries::default(),
            taken: HashSet::new(),
            candidate: String::new(),
        }
    }

    /// Loads everything that `query` reads from `locations` (rising precedence).
    pub(super) fn run(&mut self, locations: Vec<Location<'t>>, query: &Query) -> Result<(), Broken> {
        let targets: Vec<_> = locations.into_iter().map(Target::Directory).collect();
        let phase = Phase::WithoutProfiles;
        let first = self.load(std::slice::from_ref(&targets), phase)?;
        self.entries.top.of(phase).clone_from(&first);
        self.visit_all(&first, phase, 0)?;

        self.profiles = self.active_profiles(query)?;
        let phase = Phase::WithProfiles;
        self.visit_all(&first, phase, 0)?;
        let second = self.load(std::slice::from_ref(&targets), phase)?;
        self.entries.top.of(phase).clone_from(&second);
        self.visit_all(&second, phase, 0)
    }

    /// Highest precedence first.
    pub(super) fn into_sources(self) -> Vec<Source> {
        self.entries.sources()
    }

    /// Takes the files of `imports` (rising precedence); new entries, strongest first.
    fn load(&mut self, imports: &[Vec<Target<'t>>], phase: Phase) -> Result<Vec<usize>, Broken> {
        let mut loaded = Vec::new();
        let profiles = match phase {
            Phase::WithoutProfiles => Vec::new(),
            Phase::WithProfiles => self.profiles.clone(),
        };
        for targets in imports.iter().rev() {
            for profile in profiles.iter().rev() {
                for target in targets.iter().rev() {
                    self.take_target(target, Some(profile), &mut loaded)?;
                }
            }
            for target in targets.iter().rev() {
                self.take_target(target, None, &mut loaded)?;
            }
        }
        Ok(loaded)
    }

    fn take_target(
        &mut self,
        target: &Target<'t>,
        profile: Option<&str>,
        loaded: &mut Vec<usize>,
    ) -> Result<(), Broken> {
        match target {
            Target::File(FileTarget {
                location,
                stem,
                extension,
                format,
            }) => self.take(location, (stem, extension), *format, profile, loaded),
            Target::Directory(location) => {
                for index in (0..self.names.len()).rev() {
                    for format in Format::RISING.into_iter().rev() {
                        self.take(location, (self.names[index], dotted(format)), format, profile, loaded)?;
                    }
                }
                Ok(())
            }
        }
    }

    fn take(
        &mut self,
        location: &Location<'t>,
        (stem, extension): (&str, &str),
        format: Format,
        profile: Option<&str>,
        loaded: &mut Vec<usize>,
    ) -> Result<(), Broken> {
        self.candidate.clear();
        self.candidate.push_str(stem);
        if let Some(profile) = profile {
            self.candidate.push('-');
            self.candidate.push_str(profile);
        }
        self.candidate.push_str(extension);
        let Some(found) = location.place.file(&self.candidate) else {
            return Ok(());
        };
        let path = location.path_to(&self.candidate);
        let name: Arc<str> = location.shelf.name_of(&path).into();
        if !self.taken.insert(name.clone()) {
            return Ok(());
        }
        let path = location.shelf.path_of(&path);
        let prepared = self
            .prepare(&found, format, profile.is_some())
            .map_err(|fault| broken(&path, fault))?;
        let file = Taken {
            location: self.location_of(location),
            name,
            path,
            prepared,
        };
        self.entries.add(file, loaded);
        Ok(())
    }

    fn prepare(&self, found: &FoundFile<'_>, format: Format, for_profile: bool) -> Result<Arc<Prepared>, Fault> {
        let prepared = found.blob.prepared(format, self.limits)?;
        match &prepared.profile_fault {
            Some(fault) if for_profile => Err(fault.clone()),
            _ => Ok(prepared),
        }
    }

    /// What a file imports is seen from its own directory, which a name with slashes moves.
    fn location_of(&self, location: &Location<'t>) -> Location<'t> {
        let Some((directory, _)) = self.candidate.rsplit_once('/') else {
            return location.clone();
        };
        match location.place.directory(directory) {
            Some(place) => Location {
                shelf: location.shelf.clone(),
                path: location.path_to(directory),
                place,
            },
            None => location.clone(),
        }
    }

    fn visit_all(&mut self, entries: &[usize], phase: Phase, depth: usize) -> Result<(), Broken> {
        entries.iter().try_for_each(|entry| self.visit(*entry, phase, depth))
    }

    /// Settles whether an entry counts, and loads what it imports in this phase.
    fn visit(&mut self, index: usize, phase: Phase, depth: usize) -> Result<(), Broken> {
        if phase == Phase::WithProfiles {
            let children = self.entries[index].imported.of(Phase::WithoutProfiles).clone();
            self.visit_all(&children, phase, depth + 1)?;
            self.settle(index)?;
        }
        if !self.entries[index].active || self.entries[index].directives().imports.is_empty() {
            return Ok(());
        }
        if depth >= DEEPEST_IMPORT {
            let path = &self.entries[index].file.path;
            let message = format!("more than {DEEPEST_IMPORT} imports below each other");
            return Err(broken(path, fault(None, message)));
        }
        let imports = self.imports_of(index)?;
        let loaded = self.load(&imports, phase)?;
        self.entries[index].imported.of(phase).clone_from(&loaded);
        self.visit_all(&loaded, phase, depth + 1)
    }

    fn imports_of(&self, index: usize) -> Result<Vec<Vec<Target<'t>>>, Broken> {
        let Taken { location, path, .. } = &*self.entries[index].file;
        let known = Known::of(self);
        let imports = self.entries[index].directives().imports.iter().map(|import| {
            let import = known.expand(import, path)?;
            let too_many = |error| broken(path, fault(None, format!("the import `{import}` {error}")));
            targets(&import, location, self.limits).map_err(too_many)
        });
        imports.collect()
    }

    /// With the profiles known, a condition has an answer.
    fn settle(&mut self, index: usize) -> Result<(), Broken> {
        let entry = &self.entries[index];
        let holds = |expressions: &[Expression]| expressions.iter().any(|expression| expression.holds(&self.profiles));
        let active = match &entry.directives().gate {
            Gate::Always => true,
            Gate::Never => false,
            Gate::When(expressions) => holds(expressions),
            Gate::Unresolved(texts) => {
                let path = &entry.file.path;
                let known = Known::of(self);
                let texts: Result<Vec<_>, _> = texts.iter().map(|text| known.expand(text, path)).collect();
                let expressions = expressions(&texts?, entry.directives().gate_at);
                holds(&expressions.map_err(|fault| broken(path, fault))?)
            }
        };
        self.entries[index].active = active;
        Ok(())
    }

    /// The profiles of the second phase. Files add to them only when the first one asked for is not
    /// `default` (contract 2.2).
    fn active_profiles(&self, query: &Query) -> Result<Vec<String>, Broken> {
        if query.profiles.first().is_none_or(|first| first == DEFAULT_PROFILE) {
            return Ok(query.profiles.clone());
        }
        let mut included = Vec::new();
        let mut groups = Groups::new();
        let known = Known::of(self);
        for entry in self.entries.in_order() {
            let directives = entry.directives();
            let path = &entry.file.path;
            if directives.extends_profiles() && !entry.active {
                return Err(broken(path, conditional_profiles(directives)));
            }
            for profile in &directives.includes {
                included.push(known.expand(profile, path)?);
            }
            for (group, members) in &directives.groups {
                let members: Result<Vec<_>, _> = members.iter().map(|member| known.expand(member, path)).collect();
                groups.entry(group).or_insert(members?);
            }
        }
        Ok(activate(&query.profiles, &included, &groups))
    }
}

impl<'s, 't> Known<'s, 't> {
    fn of(search: &'s Search<'t, '_>) -> Self {
        Self {
            entries: &search.entries,
            limits: search.limits,
            lookup: OnceCell::new(),
        }
    }

    fn expand(&self, text: &str, path: &Arc<str>) -> Result<String, Broken> {
        if !has_placeholder(text) {
            return Ok(text.to_owned());
        }
        let lookup = self.lookup.get_or_init(|| Lookup::new(&self.entries.sources()));
        let expanded = Resolver::new(lookup, Form::Value, self.limits).resolve(text);
        let failed = |error: PlaceholderError| broken(path, fault(None, error.to_string()));
        expanded.map(Cow::into_owned).map_err(failed)
    }
}

fn broken(path: &Arc<str>, fault: Fault) -> Broken {
    Broken::File {
        path: path.clone(),
        fault,
    }
}

fn conditional_profiles(directives: &Directives) -> Fault {
    let message = "`spring.profiles.include` and `.group` cannot stand in a document with a condition";
    fault(directives.profiles_at, message.to_owned())
}
