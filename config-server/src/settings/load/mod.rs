//! Reads the settings the way Spring Boot reads its own: property sources laid over one another,
//! names in any spelling, placeholders, and every fault at once.
//!
//! [`layers`] gather what was written, with its origin; [`tree`] lays it over one another; [`known`]
//! says what may be written; [`concerns`] bind it; `manual` and [`printout`] show it.

mod fault;
mod key;
mod origin;
mod redact;
mod units;

mod known;

mod layers;
mod placeholders;
mod tree;
mod view;

mod concerns;
mod sealed;
mod unknown;

mod manual;
mod printout;

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;

pub use fault::{Reason, SettingFault, SettingsErrors};
pub use layers::{Disk, Files};
pub use origin::Origin;
pub(super) use redact::without_login;

use super::Settings;
use concerns::{Binder, GROUPS};
use known::Table;
use tree::Node;

/// Everything settings come from. It may hold secrets, and none of it is printed.
#[derive(Clone, Copy)]
pub struct Sources<'s> {
    /// `--key=value`, each.
    pub arguments: &'s [String],
    pub environment: &'s BTreeMap<String, String>,
    pub files: &'s dyn Files,
}

impl fmt::Debug for Sources<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources").finish_non_exhaustive()
    }
}

/// What the sources say, and whether it can be used.
#[derive(Debug)]
pub struct Examined {
    pub settings: Result<Settings, SettingsErrors>,
    /// What was written without an effect, a sentence each.
    pub notes: Vec<String>,
    /// The resolved settings for the operator: secrets redacted, with origins.
    pub printout: String,
}

/// Reads the settings.
///
/// # Errors
/// [`SettingsErrors`] lists every setting that cannot be used.
pub fn load(sources: &Sources<'_>) -> Result<Settings, SettingsErrors> {
    examine(sources).settings
}

/// Reads the settings and says what was read.
#[must_use]
pub fn examine(sources: &Sources<'_>) -> Examined {
    let table = Table::new(GROUPS);
    let mut layers = layers::read(sources, &table);
    let placeholder_faults = placeholders::resolve(&mut layers.layers, sources.environment, &table);
    let root = Node::overlay(&layers.layers);
    let printout = printout::print(&root, &table, &layers.profiles);
    let (unknown_faults, notes) = unknown::judge(&root, &table);
    let sealed_faults = sealed::open(&mut layers, &root, sources.files, &table);
    let root = Node::overlay(&layers.layers);
    let binder = Binder {
        root: &root,
        profiles: &layers.profiles,
        faults: RefCell::default(),
    };
    let settings = Settings {
        shown: printout::written(&root, &table),
        ..binder.bind()
    };
    let mut faults = layers.faults;
    faults.extend(placeholder_faults);
    faults.extend(unknown_faults);
    faults.extend(sealed_faults);
    faults.extend(binder.faults.into_inner());
    faults.dedup();
    Examined {
        settings: if faults.is_empty() {
            Ok(settings)
        } else {
            Err(SettingsErrors(faults))
        },
        notes,
        printout,
    }
}
