//! What makes a configuration live, on the side of whoever uses the agent.

use std::future::Future;
use std::sync::Arc;

use contract::Outcome;
use thiserror::Error;

use crate::configuration::{Configuration, KeysChanged};

/// Makes a configuration live, or refuses it.
pub trait Applier: Send + 'static {
    /// Makes `new` live. When this returns `Ok`, readers see `new`; otherwise they see what they saw
    /// before. One call runs at a time, and an equal configuration is not offered twice in a row.
    ///
    /// # Errors
    /// [`Veto`] when it must not or cannot be used; the old one stays, and the reason is reported.
    fn apply(
        &mut self,
        new: &Arc<Configuration>,
        changed: &KeysChanged,
    ) -> impl Future<Output = Result<(), Veto>> + Send;
}

/// A configuration was not made live. The reason is shown to operators: it names keys and places,
/// never values.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{reason}")]
pub struct Veto {
    reason: String,
    again: bool,
}

impl Veto {
    /// The configuration is not acceptable. It is offered again only when somebody asks.
    #[must_use]
    pub fn refused(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            again: false,
        }
    }

    /// Applying it went wrong for a reason that may pass. It is offered again after a while.
    #[must_use]
    pub fn failed(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            again: true,
        }
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Whether trying again may help.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        self.again
    }

    /// How a report calls it.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        if self.again { Outcome::Failed } else { Outcome::Vetoed }
    }
}
