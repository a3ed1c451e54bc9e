//! What is wrong with the settings: every fault at once.

use std::fmt;

use thiserror::Error;

use super::origin::{Origin, Written};

/// Everything that keeps the settings from being used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct SettingsErrors(pub Vec<SettingFault>);

/// One setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingFault {
    /// As written; the full name where nothing was.
    pub key: String,
    /// Where it stands; `None` where nothing was written.
    pub origin: Option<Origin>,
    pub reason: Reason,
}

/// What is wrong with it, and what would be right. Values are repeated only where they cannot be
/// secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Reason {
    #[error("is not a setting{}", near(.0.as_deref()))]
    Unknown(Option<String>),
    #[error("is not supported: {0}")]
    NotSupported(&'static str),
    #[error("is needed: {0}")]
    Missing(&'static str),
    #[error("is `{value}`, but should be {allowed}")]
    Wrong { value: String, allowed: String },
    #[error("should be {0}")]
    WrongSecret(String),
    #[error("refers to `${{{0}}}`, which is set nowhere")]
    Placeholder(String),
    #[error("cannot be resolved: {0}")]
    Unresolvable(String),
    #[error("cannot be decrypted with the key of `encrypt.*`")]
    Undecipherable,
    #[error("cannot be read: {0}")]
    Unreadable(String),
}

impl SettingFault {
    pub(crate) fn at(written: &Written, reason: Reason) -> Self {
        Self {
            key: written.key.clone(),
            origin: Some(written.origin.clone()),
            reason,
        }
    }

    pub(crate) fn absent(key: impl Into<String>, reason: Reason) -> Self {
        Self {
            key: key.into(),
            origin: None,
            reason,
        }
    }
}

impl fmt::Display for SettingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.key)?;
        if let Some(origin) = &self.origin {
            write!(f, " ({origin})")?;
        }
        write!(f, " {}", self.reason)
    }
}

impl fmt::Display for SettingsErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("1 setting cannot be used:")?,
            count => write!(f, "{count} settings cannot be used:")?,
        }
        self.0.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

fn near(name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}
