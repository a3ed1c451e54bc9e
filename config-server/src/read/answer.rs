//! A rendered answer, and what is said about it in headers.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use contract::{CommitId, Label, MoveId};
use http::HeaderValue;

/// Rendered once, then the same for every request like it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub body: Bytes,
    /// The entity tag: digest of the effective content, in quotes. It names what the application
    /// gets and not the commit it came from: after an unrelated commit it is the same.
    pub tag: HeaderValue,
    /// The commit, or the comma-joined commits, the content is of.
    pub version: Option<HeaderValue>,
    /// A newer commit that is held back for this application (promise 7).
    pub held: Option<HeaderValue>,
    /// Plain files: seconds since 1970.
    pub modified: Option<i64>,
}

/// An answer together with how the store stands at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    pub answer: Arc<Answer>,
    /// The head move at which this is the answer, held back or not.
    pub moved: Option<MoveId>,
    /// Whose head that is.
    pub label: Option<Label>,
    /// For how long the remote has not been reachable.
    pub stale: Option<Duration>,
}

impl Answer {
    pub(super) fn new(body: Bytes, digest: &str, version: Option<&str>, held: Option<&CommitId>) -> Self {
        Self {
            body,
            tag: HeaderValue::try_from(format!("\"{digest}\"")).expect("hexadecimal digits are visible"),
            // A configured version may hold what no header can.
            version: version.and_then(|version| HeaderValue::try_from(version).ok()),
            held: held.and_then(|commit| HeaderValue::try_from(commit.as_str()).ok()),
            modified: None,
        }
    }
}
