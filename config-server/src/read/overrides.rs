//! `spring.cloud.config.server.overrides`: the first source of every answer (contract 2.7).

use std::sync::Arc;

use crate::engine::document::{Format, Limits};
use crate::engine::parse::parse;
use crate::engine::placeholder::{Form, Lookup, PlaceholderError, Resolver, has_placeholder};
use crate::engine::resolve::Source;
use crate::engine::value::{Property, Value};
use crate::settings::secret::Secret;

/// The source made of `overrides`; `None` when there are none.
pub(super) fn source(overrides: &[(String, Secret)]) -> Option<Source> {
    if overrides.is_empty() {
        return None;
    }
    let property = |(key, value): &(String, Secret)| Property {
        key: key.as_str().into(),
        value: Value::Text(value.expose().into()),
        origin: None,
    };
    Some(Source {
        name: Source::OVERRIDES.into(),
        properties: in_stock_order(overrides)
            .into_iter()
            .map(property)
            .collect::<Arc<[_]>>(),
    })
}

/// Resolves the placeholders in the overrides the way `.yml` answers show them: typed by what the
/// text says (`ph: 2`, recorded), where a value of the repository stays a text.
pub(super) fn resolve(sources: &mut [Source], limits: &Limits) -> Result<(), PlaceholderError> {
    let is_open = |property: &Property| matches!(&property.value, Value::Text(text) if has_placeholder(text));
    let overridden = sources.first().filter(|source| &*source.name == Source::OVERRIDES);
    let Some(overrides) = overridden
        .filter(|source| source.properties.iter().any(is_open))
        .cloned()
    else {
        return Ok(());
    };
    let lookup = Lookup::new(sources);
    let mut resolver = Resolver::new(&lookup, Form::Value, limits);
    let mut properties = overrides.properties.to_vec();
    for property in &mut properties {
        if let Value::Text(text) = &property.value
            && has_placeholder(text)
        {
            property.value = as_yaml(&resolver.resolve(text)?, limits);
        }
    }
    sources[0].properties = properties.into();
    Ok(())
}

fn as_yaml(text: &str, limits: &Limits) -> Value {
    let documents = parse(Format::Yml, format!("v: {text}").as_bytes(), limits).unwrap_or_default();
    match documents.first().map(|document| &*document.properties) {
        Some([only]) if &*only.key == "v" => only.value.clone(),
        _ => Value::Text(text.into()),
    }
}

/// The order the recorded server answers in: it keeps the overrides in an immutable Java map, which
/// is an open-addressed table of twice their number, read from its first slot.
fn in_stock_order(overrides: &[(String, Secret)]) -> Vec<&(String, Secret)> {
    let size = overrides.len() * 2;
    let mut slots = vec![None; size];
    for entry in overrides {
        let home = java_hash(&entry.0).rem_euclid(i32::try_from(size).unwrap_or(i32::MAX)) as usize;
        let free = (home..home + size)
            .map(|slot| slot % size)
            .find(|&slot| slots[slot].is_none());
        slots[free.expect("the table has twice the room")] = Some(entry);
    }
    slots.into_iter().flatten().collect()
}

/// `String.hashCode()`
fn java_hash(text: &str) -> i32 {
    text.encode_utf16()
        .fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_the_recorded_one() {
        let overrides = [("c", "over"), ("a", "77"), ("new.key", "n"), ("ph", "${b}")];
        let overrides = overrides.map(|(key, value)| (key.to_owned(), Secret::new(value.to_owned())));
        let source = source(&overrides).expect("a source");
        let keys: Vec<&str> = source.properties.iter().map(|property| &*property.key).collect();
        assert_eq!(keys, ["ph", "a", "new.key", "c"]);
    }

    #[test]
    fn no_overrides_make_no_source() {
        assert_eq!(source(&[]), None);
    }
}
