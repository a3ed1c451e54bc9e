//! `${key:default}` in the values of settings.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fault::{Reason, SettingFault};
use super::key::parts;
use super::known::{Kind, Table};
use super::origin::Written;
use crate::engine::document::Limits;
use crate::engine::placeholder::{Lookup, resolve_text};
use crate::engine::resolve::Source;
use crate::engine::value::{Property, Value};

/// Resolves every value of a known setting against all of them and the environment.
pub(super) fn resolve(
    layers: &mut [Vec<Written>],
    environment: &BTreeMap<String, String>,
    table: &Table,
) -> Vec<SettingFault> {
    let lookup = Lookup::new(&sources(layers, environment));
    let mut faults = Vec::new();
    for written in layers
        .iter_mut()
        .flatten()
        .filter(|written| written.text.contains("${"))
    {
        let Some(row) = table.row(&parts(&written.key)) else {
            continue;
        };
        match resolve_text(&written.text, &lookup, &Limits::default()) {
            Ok(text) => {
                if let Some(name) = left_over(&text).filter(|_| row.key.kind != Kind::Values) {
                    faults.push(SettingFault::at(written, Reason::Placeholder(name.to_owned())));
                }
                written.text = text.into_owned();
            }
            Err(error) => faults.push(SettingFault::at(written, Reason::Unresolvable(error.to_string()))),
        }
    }
    faults
}

/// Highest precedence first, as the engine wants them.
fn sources(layers: &[Vec<Written>], environment: &BTreeMap<String, String>) -> Vec<Source> {
    let source = |properties: Vec<Property>| Source {
        name: "settings".into(),
        properties: properties.into(),
    };
    let written = |written: &Written| property(&written.key, &written.text);
    let layers = layers
        .iter()
        .rev()
        .map(|layer| source(layer.iter().map(written).collect()));
    layers.chain([source(variables(environment))]).collect()
}

/// A variable is found by its own name and as `a.b` for `A_B`.
fn variables(environment: &BTreeMap<String, String>) -> Vec<Property> {
    let both = |(name, text): (&String, &String)| {
        let dotted = name.to_ascii_lowercase().replace('_', ".");
        [property(name, text), property(&dotted, text)]
    };
    environment.iter().flat_map(both).collect()
}

fn property(key: &str, text: &str) -> Property {
    Property {
        key: Arc::from(key),
        value: Value::Text(Arc::from(text)),
        origin: None,
    }
}

/// The name in a placeholder that stands in a resolved text.
fn left_over(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("${")?;
    Some(rest.split_once('}').map_or(rest, |(name, _)| name))
}
