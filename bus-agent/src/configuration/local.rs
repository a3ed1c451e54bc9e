//! What lies on top of the server's part in this process.

use std::fmt;

use contract::PropertySource;
use indexmap::IndexMap;
use serde_json::Value;

use super::Variables;
use crate::digest;
use crate::revision::Revision;

/// The operator's overrides, the values pinned by environment-change events, and the variables that
/// placeholders may use.
#[derive(Clone, Default)]
pub struct Local {
    overrides: Vec<PropertySource>,
    pins: IndexMap<String, Value>,
    variables: Variables,
    /// Digest of overrides and pins; `None` when there are none.
    digest: Option<String>,
}

impl Local {
    /// Nothing on top; placeholders may use `variables`.
    #[must_use]
    pub fn with_variables(variables: Variables) -> Self {
        Self {
            variables,
            ..Self::default()
        }
    }

    /// Puts `overrides` (highest first) in place of those before; whether that made a difference.
    pub fn set_overrides(&mut self, overrides: Vec<PropertySource>) -> bool {
        let differ = self.overrides != overrides;
        if differ {
            self.overrides = overrides;
            self.digest_anew();
        }
        differ
    }

    /// Pins `values` until the process ends; `None` unpins.
    pub fn pin(&mut self, values: IndexMap<String, Option<String>>) {
        for (key, value) in values {
            match value {
                Some(value) => self.pins.insert(key, Value::String(value)),
                None => self.pins.shift_remove(&key),
            };
        }
        self.digest_anew();
    }

    /// `served`, named for the whole that it makes together with what lies on top.
    #[must_use]
    pub fn name(&self, served: Revision) -> Revision {
        match &self.digest {
            None => served,
            Some(on_top) => Revision {
                digest: digest::of(&[served.digest.as_bytes(), on_top.as_bytes()]),
                ..served
            },
        }
    }

    pub(super) fn overrides(&self) -> &[PropertySource] {
        &self.overrides
    }

    pub(super) fn pins(&self) -> &IndexMap<String, Value> {
        &self.pins
    }

    pub(super) fn variables(&self) -> &Variables {
        &self.variables
    }

    fn digest_anew(&mut self) {
        if self.overrides.is_empty() && self.pins.is_empty() {
            self.digest = None;
            return;
        }
        let overrides = serde_json::to_vec(&self.overrides).expect("texts and scalars serialise");
        let pins = serde_json::to_vec(&self.pins).expect("texts serialise");
        self.digest = Some(digest::of(&[&overrides, &pins]));
    }
}

impl fmt::Debug for Local {
    /// Counts; values may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Local")
            .field("overrides", &self.overrides.len())
            .field("pins", &self.pins.len())
            .field("variables", &self.variables.len())
            .finish_non_exhaustive()
    }
}
