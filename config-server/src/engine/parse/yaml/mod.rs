//! YAML 1.1 as SnakeYAML reads it, flattened into properties as Spring does (contract 3.1).
//!
//! [`event`] wraps libyaml's scanner, which comes from the same hand as SnakeYAML's; [`compose`]
//! makes nodes of its events; [`scalar`] types plain scalars; [`mapping`] makes the effective pairs
//! of a mapping (duplicates, `<<`); [`flatten`] walks the nodes into properties.

mod compose;
mod event;
mod flatten;
mod mapping;
pub(crate) mod scalar;
#[cfg(test)]
mod tests;

use compose::Composer;

use super::super::document::{Fault, Limits};
use super::super::value::Property;

/// The properties of each document.
pub(super) fn parse(bytes: &[u8], limits: &Limits) -> Result<Vec<Vec<Property>>, Fault> {
    let mut composer = Composer::new(bytes, limits);
    let mut documents = Vec::new();
    let mut budget = flatten::Budget::new(limits);
    while let Some(mut graph) = composer.document()? {
        documents.push(flatten::flatten(&mut graph, &mut budget)?);
    }
    Ok(documents)
}
