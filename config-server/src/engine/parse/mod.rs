//! Bytes of one file into documents.
//!
//! - [`yaml`]: YAML 1.1 as SnakeYAML reads it, flattened as Spring does (contract 3.1)
//! - [`properties`]: `.properties` as Spring Boot reads them (contract 3.2)
//! - [`xml`]: Java's XML properties

mod properties;
mod xml;
mod yaml;

use super::document::{Document, Fault, Format, Limits};
use super::value::Property;

pub(crate) use yaml::scalar;

/// Reads `bytes` as `format`.
///
/// # Errors
/// [`Fault`] with the position and the reason, or the limit that was passed.
pub fn parse(format: Format, bytes: &[u8], limits: &Limits) -> Result<Vec<Document>, Fault> {
    if bytes.len() > limits.file_size {
        let message = format!("{} bytes are more than one file may have", bytes.len());
        return Err(Fault::limit(1, 1, message, Limits::FILE_SIZE));
    }
    let documents = match format {
        Format::Yaml | Format::Yml => yaml::parse(bytes, limits)?,
        Format::Properties => properties::parse(bytes)?,
        Format::Xml => xml::parse(bytes)?,
    };
    Ok(number(documents))
}

/// Empty documents vanish and are not counted (contract 2.3).
fn number(documents: Vec<Vec<Property>>) -> Vec<Document> {
    documents
        .into_iter()
        .filter(|properties| !properties.is_empty())
        .enumerate()
        .map(|(index, properties)| Document {
            index,
            properties: properties.into(),
        })
        .collect()
}
