//! Which keys differ between two configurations.

use std::collections::BTreeSet;

use super::{Configuration, key};

/// The keys that were added, removed or have another value, sorted, as they are written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeysChanged(BTreeSet<String>);

impl KeysChanged {
    /// Compares; without an old one every key is new.
    #[must_use]
    pub fn between(old: Option<&Configuration>, new: &Configuration) -> Self {
        let before = |canonical: &str| old.and_then(|old| old.entries.get(canonical));
        let set = new
            .entries
            .iter()
            .filter(|(canonical, entry)| before(canonical).is_none_or(|old| old.value != entry.value));
        let gone = old
            .into_iter()
            .flat_map(|old| &old.entries)
            .filter(|(canonical, _)| !new.entries.contains_key(*canonical));
        Self(set.chain(gone).map(|(_, entry)| entry.key.clone()).collect())
    }

    /// The keys, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `key`, in any spelling, changed.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        let wanted = key::canonical(key);
        self.iter().any(|changed| key::canonical(changed) == wanted)
    }

    /// Those at or below `prefix`; an empty prefix is everything.
    #[must_use]
    pub fn under(&self, prefix: &str) -> Self {
        let prefix = key::canonical(prefix);
        let below = |canonical: &str| match canonical.strip_prefix(prefix.as_str()) {
            Some(rest) => prefix.is_empty() || rest.is_empty() || rest.starts_with(['.', '[']),
            None => false,
        };
        Self(
            self.0
                .iter()
                .filter(|key| below(&key::canonical(key)))
                .cloned()
                .collect(),
        )
    }
}
