//! A text that must not show.

use std::fmt;

/// A password or token: never printed, never compared in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// A name and its password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The name, safe to show.
    pub username: String,
    /// The password.
    pub password: Secret,
}

impl Secret {
    /// Hides `text`.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the wire alone.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
