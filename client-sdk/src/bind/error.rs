//! What does not fit, and where it stands.

use std::fmt;

use bus_agent::Origin;
use bus_agent::configuration::tree::{Node, join};
use serde::de::{self, Expected, Unexpected};

/// A value that does not fit the type it is bound to. Names the key and where its value stands;
/// never shows the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindError {
    key: Option<String>,
    origin: Option<Origin>,
    fault: Fault,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Fault {
    Missing(&'static str),
    Expected(String),
    /// What somebody else's code said; it may show the value.
    Said(String),
}

impl BindError {
    pub(super) fn expected(what: impl Into<String>) -> Self {
        Self::new(Fault::Expected(what.into()))
    }

    fn new(fault: Fault) -> Self {
        Self {
            key: None,
            origin: None,
            fault,
        }
    }

    /// Places the fault at `node`, when nothing deeper did.
    pub(super) fn at(mut self, node: &Node<'_>) -> Self {
        if self.key.is_some() {
            return self;
        }
        match self.fault {
            Fault::Missing(field) => self.key = Some(join(&node.key, &as_key(field))),
            Fault::Expected(_) | Fault::Said(_) => {
                self.key = Some(node.key.clone());
                self.origin = node.entry.map(|entry| entry.origin.clone());
            }
        }
        self
    }

    /// The key, when it is known.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Where the value stands, when it is known.
    #[must_use]
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// The message without what a type's own `Deserialize` said, which may show a value.
    #[must_use]
    pub fn reason(&self) -> String {
        match &self.fault {
            Fault::Said(_) => format!("{}its type refuses the value", self.place()),
            Fault::Missing(_) | Fault::Expected(_) => self.to_string(),
        }
    }

    fn place(&self) -> String {
        match (&self.key, &self.origin) {
            (Some(key), Some(origin)) => format!("`{key}` ({origin}): "),
            (Some(key), None) => format!("`{key}`: "),
            (None, _) => String::new(),
        }
    }
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place())?;
        match &self.fault {
            Fault::Missing(_) => f.write_str("is missing"),
            Fault::Expected(what) => write!(f, "expected {what}"),
            Fault::Said(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for BindError {}

impl de::Error for BindError {
    fn custom<T: fmt::Display>(said: T) -> Self {
        Self::new(Fault::Said(said.to_string()))
    }

    fn invalid_type(_: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        Self::expected(wanted.to_string())
    }

    fn invalid_value(_: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        Self::expected(wanted.to_string())
    }

    fn invalid_length(length: usize, wanted: &dyn Expected) -> Self {
        Self::expected(format!("{wanted}, not {length} elements"))
    }

    fn unknown_variant(_: &str, known: &'static [&'static str]) -> Self {
        Self::expected(format!("one of {}", quoted(known)))
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        Self::expected(format!("none but {}, not `{field}`", quoted(known)))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(Fault::Missing(field))
    }
}

fn quoted(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// A field's name as a key: `max_pool_size` and `maxPoolSize` are `max-pool-size`.
fn as_key(field: &str) -> String {
    let mut key = String::with_capacity(field.len() + 4);
    for c in field.chars() {
        if c.is_uppercase() && !key.is_empty() && !key.ends_with('-') {
            key.push('-');
        }
        match c {
            '_' => key.push('-'),
            c => key.extend(c.to_lowercase()),
        }
    }
    key
}
