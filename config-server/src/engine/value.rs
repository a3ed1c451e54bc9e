//! One property: its key, its typed value and where it stands.

mod double;

use std::fmt;
use std::sync::Arc;

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;

/// A scalar as YAML 1.1 types it. `.properties` and XML only know texts.
///
/// Null never gets here: it is `""` in a property source (contract 3.1).
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Bool(bool),
    Integer(i64),
    /// An integer past 64 bits, in decimal.
    BigInteger(Arc<str>),
    Double(f64),
    Text(Arc<str>),
    /// `!!binary`: base64 text in JSON.
    Bytes(Arc<[u8]>),
}

/// Line and column of the value token, both from 1 (contract 1.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    pub line: u32,
    pub column: u32,
}

/// One flat key (`server.port`, `list[0].name`) with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Property {
    pub key: Arc<str>,
    pub value: Value,
    /// `None` for values that stand in no file, or were decrypted.
    pub origin: Option<Origin>,
}

/// The text of a value, as Java's `toString` spells it; bytes as base64.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(truth) => truth.fmt(f),
            Self::Integer(integer) => integer.fmt(f),
            Self::BigInteger(text) | Self::Text(text) => f.write_str(text),
            Self::Double(number) => double::write(f, *number),
            Self::Bytes(bytes) => Base64Display::new(bytes, &STANDARD).fmt(f),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}
