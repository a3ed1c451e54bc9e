//! Binds the keys below a prefix to a type, relaxed as Spring's binder.
//!
//! The flat keys become a tree, a serde deserializer walks it ([`deserializer`]), texts
//! become numbers, switches, durations ([`scalar`]), and whatever does not fit is named with its key
//! and the place it stands at ([`error`]). What was read on the way is kept ([`Reading`]): a type is
//! bound anew only when something it reads is different.

mod deserializer;
mod error;
mod scalar;
mod text;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::marker::PhantomData;

use bus_agent::Configuration;
use bus_agent::configuration::tree::Node;
use serde::de::DeserializeOwned;

pub use error::BindError;
pub(crate) use scalar::parse_bytes;

use deserializer::NodeDeserializer;

/// The values a type was bound from, by canonical key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reading(BTreeMap<String, String>);

/// A bound value, and what it was bound from.
pub(crate) struct Bound<T> {
    pub(crate) value: T,
    pub(crate) reading: Reading,
}

/// Binds everything at and below `prefix`; an empty prefix is everything.
pub(crate) fn bind<T: DeserializeOwned>(configuration: &Configuration, prefix: &str) -> Result<Bound<T>, BindError> {
    let node = Node::of(configuration, prefix);
    let read = RefCell::default();
    let value = NodeDeserializer::new(&node, &read).seed(PhantomData)?;
    Ok(Bound {
        value,
        reading: Reading(read.into_inner()),
    })
}

#[cfg(test)]
mod tests;
