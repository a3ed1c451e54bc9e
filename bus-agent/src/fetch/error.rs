//! Why a fetch failed.

use std::error::Error;
use std::time::Duration;

use thiserror::Error as ThisError;

/// No server gave a configuration. Servers are named as scheme, host and port.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum FetchError {
    /// No connection, or it broke.
    #[error("cannot reach {server}")]
    Unreachable {
        /// Which server.
        server: String,
        /// Why.
        #[source]
        cause: Box<dyn Error + Send + Sync>,
    },
    /// The answer did not come in time.
    #[error("{server} did not answer in time")]
    TimedOut {
        /// Which server.
        server: String,
    },
    /// The server answered with another status than 200 or 304.
    #[error("{server} answered {status}{}", .detail.as_deref().map(|said| format!(": {said}")).unwrap_or_default())]
    Status {
        /// Which server.
        server: String,
        /// The status.
        status: u16,
        /// What the server said about it.
        detail: Option<String>,
        /// When it wants to be asked again.
        retry_after: Option<Duration>,
        /// Whether it says that it does not have what was asked for at least.
        behind: bool,
    },
    /// The answer is larger than the limit.
    #[error("{server} answered with more than {limit} bytes")]
    TooLarge {
        /// Which server.
        server: String,
        /// The limit.
        limit: usize,
    },
    /// The answer is no configuration. The content is not repeated.
    #[error("{server} answered with something that is no configuration (line {line}, column {column})")]
    Malformed {
        /// Which server.
        server: String,
        /// Where reading ended.
        line: usize,
        /// Where reading ended.
        column: usize,
    },
}

/// What the client is to show or to trust cannot be used.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum ClientError {
    /// They are not readable as PEM.
    #[error("a certificate or key is not readable as PEM")]
    Unreadable(#[source] Box<dyn Error + Send + Sync>),
    /// There is none where one should be.
    #[error("a file of certificates holds none")]
    NoCertificate,
    /// The token is not repeated.
    #[error("the bearer token holds a character that no header can hold")]
    Token,
}

/// What kind of failure it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FetchErrorKind {
    /// No answer.
    Unreachable,
    /// The server wants to know who asks, or does not like the answer (401, 403).
    Forbidden,
    /// The server does not have such a configuration (404).
    NotFound,
    /// The server is behind what was asked for, or is not ready (503).
    Behind,
    /// Any other answer that is no configuration.
    Refused,
}

impl ClientError {
    pub(super) fn unreadable(cause: reqwest::Error) -> Self {
        Self::Unreadable(Box::new(cause))
    }
}

impl FetchError {
    /// What kind of failure it was.
    #[must_use]
    pub fn kind(&self) -> FetchErrorKind {
        match self {
            Self::Unreachable { .. } | Self::TimedOut { .. } => FetchErrorKind::Unreachable,
            Self::Status { status: 401 | 403, .. } => FetchErrorKind::Forbidden,
            Self::Status { status: 404, .. } => FetchErrorKind::NotFound,
            Self::Status { status: 503, .. } => FetchErrorKind::Behind,
            Self::Status { .. } | Self::TooLarge { .. } | Self::Malformed { .. } => FetchErrorKind::Refused,
        }
    }

    /// Whether the same request may succeed later without anybody doing something about it.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::TimedOut { .. } => true,
            Self::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500..),
            Self::TooLarge { .. } | Self::Malformed { .. } => false,
        }
    }

    /// Whether the server said that it is behind what was asked for.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        matches!(self, Self::Status { behind: true, .. })
    }

    /// When the server wants to be asked again.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// How much this says about what is wrong: of several servers' failures the most telling one
    /// is shown.
    pub(super) fn weight(&self) -> u8 {
        match self {
            Self::Unreachable { .. } | Self::TimedOut { .. } => 0,
            Self::Status { behind: false, .. } | Self::TooLarge { .. } | Self::Malformed { .. } => 1,
            Self::Status { behind: true, .. } => 2,
        }
    }
}
