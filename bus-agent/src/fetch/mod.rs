//! Asks the servers for the configuration.

mod answer;
mod error;
mod fetcher;
mod login;

use std::time::Duration;

use contract::{Label, MoveId};

pub use answer::Answer;
pub use error::{ClientError, FetchError, FetchErrorKind};
pub use fetcher::{FetchSettings, Fetcher};
pub use login::Login;

/// What a server answered to a good request.
#[derive(Debug)]
pub enum Fetched {
    /// A configuration.
    Changed(Box<Answer>),
    /// What was asked with is still the configuration.
    NotModified(Standing),
}

/// What a server says beside a configuration, and without one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// The version that carries the configuration now.
    pub version: Option<String>,
    /// The head move that carries it now.
    pub moved: Option<MoveId>,
    /// The label that was served.
    pub label: Option<Label>,
    /// A newer commit the server holds back for this application.
    pub held: Option<String>,
    /// For how long the server has not reached its remote.
    pub stale: Option<Duration>,
}
