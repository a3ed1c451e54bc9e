//! Decrypts the properties of an answer (contract 4.1).

use std::sync::Arc;

use super::{Keys, MARKER};
use crate::engine::resolve::Source;
use crate::engine::value::{Property, Value};

/// What stands in place of a value that cannot be decrypted.
const NOT_AVAILABLE: &str = "<n/a>";

/// Decrypts what begins with `{cipher}`. A decrypted property loses its origin and moves to the end
/// of its source. What cannot be decrypted becomes `invalid.<key>`, or stays without its marker
/// unless `prefix_invalid`.
pub fn decrypt(sources: &mut [Source], keys: &Keys, prefix_invalid: bool) {
    for source in sources {
        if source.properties.iter().any(|property| encrypted(property).is_some()) {
            source.properties = decrypt_properties(&source.properties, keys, prefix_invalid);
        }
    }
}

fn decrypt_properties(properties: &[Property], keys: &Keys, prefix_invalid: bool) -> Arc<[Property]> {
    let (sealed, mut all): (Vec<_>, Vec<_>) = properties
        .iter()
        .cloned()
        .partition(|property| encrypted(property).is_some());
    for property in sealed {
        let text = encrypted(&property).unwrap_or_default();
        let opened = opened(&property.key, text, keys, prefix_invalid);
        match all.iter_mut().find(|known| known.key == opened.key) {
            Some(known) => *known = opened,
            None => all.push(opened),
        }
    }
    all.into()
}

fn opened(key: &Arc<str>, text: &str, keys: &Keys, prefix_invalid: bool) -> Property {
    let property = |key: Arc<str>, text: &str| Property {
        key,
        value: Value::Text(text.into()),
        origin: None,
    };
    match keys.decrypt(text) {
        Ok(plain) => property(Arc::clone(key), &plain),
        Err(_) if prefix_invalid => property(format!("invalid.{key}").into(), NOT_AVAILABLE),
        Err(_) => property(Arc::clone(key), text),
    }
}

/// The text behind the marker.
fn encrypted(property: &Property) -> Option<&str> {
    match &property.value {
        Value::Text(text) => text.strip_prefix(MARKER),
        _ => None,
    }
}
