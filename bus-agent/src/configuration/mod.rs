//! The effective configuration: one answer of the server, merged as a Spring client would.
//!
//! The flow: property sources (`layers`, highest precedence first) are merged into one flat map
//! (`merge`, keyed by [`key`]), placeholders in it are resolved (`placeholder`), and two of them are
//! compared ([`KeysChanged`]). Whoever needs it nested gets a [`tree`].

mod changes;
pub mod key;
mod layers;
mod local;
mod merge;
mod overrides;
mod placeholder;
pub mod tree;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use contract::Environment;
use indexmap::IndexMap;
use serde_json::Value;

pub use changes::KeysChanged;
pub use local::Local;
pub use overrides::{OverridesError, read_overrides};

use crate::revision::Revision;

/// Names in the surroundings of the process that placeholders may use, as environment variables.
pub type Variables = BTreeMap<String, String>;

/// Every key with its effective value, of exactly one answer.
#[derive(Clone)]
pub struct Configuration {
    revision: Revision,
    entries: IndexMap<String, Entry>,
}

/// One effective value.
#[derive(Clone, PartialEq)]
pub struct Entry {
    /// The key as it is written where the value stands.
    pub key: String,
    /// A scalar: text, number, boolean or null. Placeholders are resolved.
    pub value: Value,
    /// Where it stands.
    pub origin: Origin,
}

/// Where a value stands, printed `source:line:column`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The name of the property source.
    pub source: Arc<str>,
    /// `line:column`, both from 1, when known.
    pub position: Option<String>,
}

impl Configuration {
    /// Merges what a server answered with what lies on top here.
    #[must_use]
    pub fn new(revision: Revision, environment: &Environment, local: &Local) -> Self {
        let layers = layers::of(environment, local);
        let mut entries = merge::merge(&layers);
        placeholder::resolve(&mut entries, local.variables());
        Self {
            revision: local.name(revision),
            entries,
        }
    }

    /// No key at all.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            revision: Revision {
                digest: String::new(),
                etag: None,
                version: None,
                moved: None,
            },
            entries: IndexMap::new(),
        }
    }

    /// What names this configuration.
    #[must_use]
    pub fn revision(&self) -> &Revision {
        &self.revision
    }

    /// The value of `key`, in any of its spellings.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.get(&key::canonical(key))
    }

    /// Every value, highest source first and in file order.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The same values under another name, for an answer that only moved the version.
    pub(crate) fn renamed(&self, revision: Revision) -> Self {
        Self {
            revision,
            entries: self.entries.clone(),
        }
    }
}

impl Entry {
    /// The value as text.
    #[must_use]
    pub fn text(&self) -> String {
        text_of(&self.value)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)?;
        match &self.position {
            Some(position) => write!(f, ":{position}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Entry {
    /// Without the value: it may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("key", &self.key)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Configuration {
    /// Names the revision and counts the keys; values may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Configuration")
            .field("revision", &self.revision)
            .field("keys", &self.entries.len())
            .finish()
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
