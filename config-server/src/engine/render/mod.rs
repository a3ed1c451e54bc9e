//! Resolved sources into bytes: environment JSON, YAML, properties, nested JSON.
//!
//! - [`environment`](environment()): the sources as they are
//! - [`flat`]: the sources merged, still flat; [`nest`]: as a tree
//! - [`json`], [`yaml`]: writers

mod environment;
mod flat;
mod json;
mod nest;
#[cfg(test)]
mod tests;
mod yaml;

use std::borrow::Cow;
use std::fmt::Write as _;

use bytes::Bytes;
use thiserror::Error;

use super::document::Limits;
use super::placeholder::{Form, Lookup, PlaceholderError, Resolver, has_placeholder, resolve_text};
use super::query::Query;
use super::resolve::Source;
use super::value::Value;
use flat::Flat;
use nest::Node;

pub use environment::environment;

/// The merged formats of the file routes (contract 1.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Merged {
    Yaml,
    Json,
    Properties,
}

/// What stands around the sources in an environment.
#[derive(Debug, Clone)]
pub struct Envelope<'a> {
    pub query: &'a Query,
    pub version: Option<&'a str>,
    pub state: Option<&'a str>,
    /// Values carry their origin (v2 media type).
    pub origins: bool,
}

/// Why sources have no merged form.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RenderError {
    /// A key that cannot be nested: a part of it is empty, or no number where one belongs.
    #[error("the key `{key}` cannot be nested: {reason}")]
    Key { key: String, reason: &'static str },
    /// A key that needs a place for a map or list which another key uses otherwise.
    #[error("the key `{key}` cannot be nested: {reason}")]
    Clash { key: String, reason: &'static str },
    /// A placeholder that leads back to itself.
    #[error("the placeholder `{0}` leads back to itself")]
    Cycle(String),
    /// The answer would pass a limit, by its setting's name.
    #[error("the answer passes the limit `{0}`")]
    Limit(&'static str),
}

/// The sources merged into one file (contract 1.5). `sources` are highest precedence first.
///
/// # Errors
/// [`RenderError`] when a key cannot be nested, placeholders turn in a circle, or the answer would
/// pass a limit.
pub fn merged(
    form: Merged,
    sources: &[Source],
    resolve_placeholders: bool,
    strip_document: bool,
    limits: &Limits,
) -> Result<Bytes, RenderError> {
    let mut flat = flat::merge(sources);
    if form == Merged::Properties {
        let text = properties(&flat);
        if !resolve_placeholders || !has_placeholder(&text) {
            return Ok(text.into());
        }
        return Ok(resolve_text(&text, &Lookup::new(sources), limits)?.into_owned().into());
    }
    if resolve_placeholders {
        resolve_values(&mut flat, sources, limits)?;
    }
    let tree = nest::nest(flat, limits)?;
    match form {
        Merged::Json => {
            let mut out = Vec::new();
            json::tree(&mut out, &Node::Map(tree));
            Ok(out.into())
        }
        Merged::Yaml | Merged::Properties => Ok(yaml::dump(tree, strip_document).into()),
    }
}

/// Values are resolved one by one and become texts, so the writer quotes them rightly.
fn resolve_values(flat: &mut Flat<'_>, sources: &[Source], limits: &Limits) -> Result<(), PlaceholderError> {
    let is_open = |value: &Value| matches!(value, Value::Text(text) if has_placeholder(text));
    if !flat.values().any(|value| is_open(value)) {
        return Ok(());
    }
    let lookup = Lookup::new(sources);
    let mut resolver = Resolver::new(&lookup, Form::Value, limits);
    for value in flat.values_mut() {
        if let Value::Text(text) = &**value
            && has_placeholder(text)
        {
            let resolved = resolver.resolve(text)?;
            *value = Cow::Owned(Value::Text(resolved.into()));
        }
    }
    Ok(())
}

/// `key: value` lines without any escaping, as the stock server writes them.
fn properties(flat: &Flat<'_>) -> String {
    let mut out = String::new();
    for (key, value) in flat {
        if !out.is_empty() {
            out.push('\n');
        }
        // Writing into a string cannot fail.
        let _ = write!(out, "{key}: {value}");
    }
    out
}

impl From<PlaceholderError> for RenderError {
    fn from(error: PlaceholderError) -> Self {
        match error {
            PlaceholderError::Cycle(key) => Self::Cycle(key),
            PlaceholderError::Limit(limit) => Self::Limit(limit),
        }
    }
}
