//! Many property sources to one flat map.

use std::collections::HashMap;

use indexmap::IndexMap;

use super::layers::Layer;
use super::{Entry, Origin, key};

/// Merges `layers`, highest precedence first. A key belongs to the first that has it, in any
/// spelling; a list belongs as a whole to the first that has a part of it.
pub(super) fn merge(layers: &[Layer<'_>]) -> IndexMap<String, Entry> {
    let mut entries = IndexMap::new();
    let mut owners: HashMap<String, usize> = HashMap::new();
    for (rank, layer) in layers.iter().enumerate() {
        for &(key, value, position) in &layer.values {
            let mut places = key::list_places(key);
            if places
                .iter()
                .any(|place| owners.get(place).is_some_and(|&owner| owner != rank))
            {
                continue;
            }
            let canonical = places.last().cloned().expect("the key itself is one of its places");
            owners.extend(places.drain(..).map(|place| (place, rank)));
            entries.entry(canonical).or_insert_with(|| Entry {
                key: key.to_owned(),
                value: value.clone(),
                origin: Origin {
                    source: layer.source.clone(),
                    position: position.map(str::to_owned),
                },
            });
        }
    }
    entries
}
