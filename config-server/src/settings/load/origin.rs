//! Where a setting was written.

use std::fmt;
use std::sync::Arc;

/// The place of one value, for the operator's eyes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// `config/application.yml:3:12`: the file as it was named, line and column from 1.
    File { path: Arc<str>, at: Option<(u32, u32)> },
    /// An environment variable's name.
    Variable(String),
    /// `--key=value`
    Argument,
}

/// One value as it was written. Its text may be a secret and is never printed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Written {
    /// The name as it was spelt.
    pub(crate) key: String,
    pub(crate) text: String,
    pub(crate) origin: Origin,
    /// The text was decrypted: it is never shown.
    pub(crate) sealed: bool,
}

impl Written {
    pub(crate) fn new(key: impl Into<String>, text: impl Into<String>, origin: Origin) -> Self {
        Self {
            key: key.into(),
            text: text.into(),
            origin,
            sealed: false,
        }
    }
}

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.key, self.origin)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File {
                path,
                at: Some((line, column)),
            } => write!(f, "{path}:{line}:{column}"),
            Self::File { path, at: None } => f.write_str(path),
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::Argument => f.write_str("argument"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_holds_no_value() {
        let written = Written::new("encrypt.key", "very-secret", Origin::Argument);
        assert_eq!(format!("{written:?}"), "encrypt.key (argument)");
    }
}
