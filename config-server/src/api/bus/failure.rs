//! The journal cannot do its part: what the caller is told.

use std::error::Error;
use std::iter::successors;

use axum::response::{IntoResponse, Response};

use crate::api::observe::Failure;
use crate::api::problem::{Problem, ProblemKind};
use crate::change::journal::JournalError;

/// Seconds after which a journal that cannot be written is worth another try.
const RETRY_AFTER: u64 = 5;

/// An answer to a call that needs the journal, and does not have it. Nothing was published.
#[derive(Debug)]
pub(super) struct JournalFailure(JournalError);

impl From<JournalError> for JournalFailure {
    fn from(error: JournalError) -> Self {
        Self(error)
    }
}

impl IntoResponse for JournalFailure {
    fn into_response(self) -> Response {
        // The message names the operation and no path; SQLite's own word goes to the log alone.
        let problem = Problem::new(ProblemKind::Unavailable, self.0.to_string()).retry_after(RETRY_AFTER);
        let mut response = problem.into_response();
        response.extensions_mut().insert(Failure(chain(&self.0).into()));
        response
    }
}

fn chain(error: &dyn Error) -> String {
    let causes = successors(Some(error), |error| (*error).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
