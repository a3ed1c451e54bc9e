//! Why a client could not be built.

use std::error::Error as StdError;
use std::fmt;

use bus_agent::StartError;
use bus_agent::fetch::FetchErrorKind;

use crate::bind::BindError;

/// Why a client could not be built or a value could not be bound. What went wrong exactly is in its
/// sources; none of them shows a value of the configuration, unless a type's own `Deserialize` does.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    retryable: bool,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What kind of failure it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// What the builder was given does not fit.
    Settings,
    /// No server answered.
    Unreachable,
    /// The server wants to know who asks, or does not like the answer.
    Forbidden,
    /// The server has no such configuration.
    NotFound,
    /// The server answered, but not with a configuration.
    Server,
    /// A value does not fit the type it is bound to.
    Bind,
    /// A validator refused what was bound.
    Refused,
    /// The client was stopped.
    Stopped,
}

impl Error {
    pub(crate) fn settings(cause: impl StdError + Send + Sync + 'static) -> Self {
        Self {
            source: Some(Box::new(cause)),
            ..Self::new(ErrorKind::Settings, "the client's settings do not fit")
        }
    }

    pub(crate) fn refused(prefix: &str, reason: &str) -> Self {
        Self::new(
            ErrorKind::Refused,
            format!("the values below `{prefix}` were refused: {reason}"),
        )
    }

    fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            retryable: false,
            source: None,
        }
    }

    /// What kind of failure it was.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether the same call may succeed later without anybody doing something about it.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.retryable
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(self.source.as_deref()?)
    }
}

impl From<StartError> for Error {
    fn from(error: StartError) -> Self {
        Self {
            kind: kind_of(&error),
            message: error.to_string(),
            retryable: error.is_retryable(),
            source: error_below(error),
        }
    }
}

impl From<BindError> for Error {
    fn from(error: BindError) -> Self {
        Self {
            source: Some(Box::new(error)),
            ..Self::new(ErrorKind::Bind, "the configuration does not fit its type")
        }
    }
}

fn kind_of(error: &StartError) -> ErrorKind {
    match error {
        StartError::Fetch(error) => match error.kind() {
            FetchErrorKind::Unreachable => ErrorKind::Unreachable,
            FetchErrorKind::Forbidden => ErrorKind::Forbidden,
            FetchErrorKind::NotFound => ErrorKind::NotFound,
            _ => ErrorKind::Server,
        },
        StartError::TimedOut => ErrorKind::Unreachable,
        StartError::Refused(_) => ErrorKind::Refused,
        StartError::Stopped => ErrorKind::Stopped,
        _ => ErrorKind::Settings,
    }
}

fn error_below(error: StartError) -> Option<Box<dyn StdError + Send + Sync>> {
    match error {
        StartError::Fetch(error) => Some(Box::new(error)),
        StartError::Overrides(error) => Some(Box::new(error)),
        StartError::Refused(error) => Some(Box::new(error)),
        StartError::Client(error) => Some(Box::new(error)),
        _ => None,
    }
}
