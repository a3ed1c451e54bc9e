//! Why an agent did not start.

use thiserror::Error;

use crate::apply::Veto;
use crate::configuration::OverridesError;
use crate::fetch::{ClientError, FetchError};

/// Why an agent did not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// No server was named.
    #[error("no server is named")]
    NoServer,
    /// A server's address is no `http` or `https` URL. The text is not repeated: it may hold a
    /// password.
    #[error("server {position} is not an http or https URL")]
    ServerUrl {
        /// Which one, counted from 1.
        position: usize,
    },
    /// What the agent is to show to a server or to trust cannot be used.
    #[error("the servers cannot be asked as wished")]
    Client(#[source] ClientError),
    /// The override directory is not readable.
    #[error("the overrides cannot be used")]
    Overrides(#[source] OverridesError),
    /// No server gave a configuration.
    #[error("no configuration could be fetched")]
    Fetch(#[source] FetchError),
    /// No server answered before the time was up.
    #[error("no configuration could be fetched in time")]
    TimedOut,
    /// The application refused what was fetched.
    #[error("the configuration was refused")]
    Refused(#[source] Veto),
    /// The agent was stopped while it started.
    #[error("the agent was stopped while it started")]
    Stopped,
}

impl StartError {
    /// Whether the same start may succeed later without anybody doing something about it.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Fetch(error) => error.is_retryable(),
            Self::TimedOut => true,
            Self::Refused(veto) => veto.may_pass(),
            Self::NoServer | Self::ServerUrl { .. } | Self::Client(_) | Self::Overrides(_) | Self::Stopped => false,
        }
    }
}
