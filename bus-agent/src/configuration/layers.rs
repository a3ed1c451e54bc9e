//! The property sources of one configuration, highest precedence first.

use std::sync::Arc;

use contract::{Environment, PropertySource};
use indexmap::IndexMap;
use serde_json::Value;

use super::local::Local;

/// One property source by name.
#[derive(Debug)]
pub(super) struct Layer<'a> {
    pub(super) source: Arc<str>,
    pub(super) values: Vec<(&'a str, &'a Value, Option<&'a str>)>,
}

/// Pinned values, then the operator's overrides, then what the server answered.
pub(super) fn of<'a>(environment: &'a Environment, local: &'a Local) -> Vec<Layer<'a>> {
    let pins = (!local.pins().is_empty()).then(|| pinned(local.pins()));
    pins.into_iter()
        .chain(local.overrides().iter().map(layer))
        .chain(environment.property_sources.iter().map(layer))
        .collect()
}

fn layer(source: &PropertySource) -> Layer<'_> {
    Layer {
        source: source.name.as_str().into(),
        values: source
            .source
            .iter()
            .map(|(key, held)| (key.as_str(), &held.value, held.origin.as_deref()))
            .collect(),
    }
}

fn pinned(pins: &IndexMap<String, Value>) -> Layer<'_> {
    Layer {
        source: "environment change".into(),
        values: pins.iter().map(|(key, value)| (key.as_str(), value, None)).collect(),
    }
}
