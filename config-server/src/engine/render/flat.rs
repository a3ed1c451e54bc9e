//! The sources merged, still flat: step 1 of contract 1.5.

use std::borrow::Cow;

use indexmap::IndexMap;

use super::super::resolve::Source;
use super::super::value::Value;

/// Keys in order of their first sighting, from the lowest source up; lists last.
pub(super) type Flat<'a> = IndexMap<&'a str, Cow<'a, Value>>;

/// Merges `sources`, given highest precedence first. A list of a higher source replaces the whole
/// list of a lower one.
pub(super) fn merge(sources: &[Source]) -> Flat<'_> {
    let mut flat = Flat::new();
    let mut lists: IndexMap<&str, Flat<'_>> = IndexMap::new();
    for source in sources.iter().rev() {
        let mut own: IndexMap<&str, Flat<'_>> = IndexMap::new();
        for property in source.properties.iter() {
            let value = Cow::Borrowed(&property.value);
            match property.key.split_once('[') {
                None => flat.insert(&property.key, value),
                Some((list, _)) => own.entry(list).or_default().insert(&property.key, value),
            };
        }
        lists.extend(own);
    }
    flat.extend(lists.into_values().flatten());
    // Only the key itself is dropped; everything below it stays.
    flat.shift_remove("spring.profiles");
    flat
}
