//! Decrypts plain files (contract 1.7): what parsing finds is replaced in the text as it stands.

use std::collections::BTreeSet;

use super::{CipherError, Keys, MARKER};
use crate::engine::document::{Format, Limits};
use crate::engine::parse::parse;
use crate::engine::value::Value;

/// Decrypts the values of a `.json`, `.properties`, `.yml` or `.yaml` file that begin with
/// `{cipher}`. Other files, and files that cannot be read, stay as they are.
///
/// # Errors
/// [`CipherError`] of the first value that cannot be decrypted.
pub fn decrypt_file(name: &str, text: String, keys: &Keys, limits: &Limits) -> Result<String, CipherError> {
    if !text.contains(MARKER) {
        return Ok(text);
    }
    let Some(format) = format(name) else {
        return Ok(text);
    };
    let mut text = text;
    for value in encrypted(format, &text, limits) {
        let plain = keys.decrypt(value.trim_start_matches(MARKER))?;
        text = text.replace(&value, &plain);
    }
    Ok(text)
}

/// JSON is read as the YAML it is.
fn format(name: &str) -> Option<Format> {
    let (_, extension) = name.rsplit_once('.')?;
    match extension.to_ascii_lowercase().as_str() {
        "json" | "yml" | "yaml" => Some(Format::Yaml),
        "properties" => Some(Format::Properties),
        _ => None,
    }
}

/// Longest first, so that no value is replaced inside of another one.
fn encrypted(format: Format, text: &str, limits: &Limits) -> Vec<String> {
    let documents = parse(format, text.as_bytes(), limits).unwrap_or_default();
    let properties = documents.iter().flat_map(|document| document.properties.iter());
    let values: BTreeSet<String> = properties
        .filter_map(|property| match &property.value {
            Value::Text(text) if text.starts_with(MARKER) => Some(text.trim().to_owned()),
            _ => None,
        })
        .collect();
    let mut values: Vec<String> = values.into_iter().collect();
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    values
}
