//! What names a served configuration.

use std::fmt;

use contract::{CommitId, MoveId};
use serde::{Deserialize, Serialize};

/// Names one configuration, so that two can be told apart and put in order without their values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// Equal digests mean equal effective configurations. It is the entity tag it was served with,
    /// or one computed here when the origin sends none or something local lies on top.
    pub digest: String,
    /// The entity tag of the server's part, to ask with.
    #[serde(default)]
    pub etag: Option<String>,
    /// The version as the origin names it: a commit, several joined with `,`, or any text.
    #[serde(default)]
    pub version: Option<String>,
    /// The head move that was served.
    #[serde(default, rename = "move")]
    pub moved: Option<MoveId>,
}

impl Revision {
    /// The version as one commit, when it is one.
    #[must_use]
    pub fn commit(&self) -> Option<CommitId> {
        self.version.as_deref()?.parse().ok()
    }

    /// Whether a server's log knows that `other` came after this one (promise 2). Moves of
    /// different logs have no order.
    #[must_use]
    pub fn is_before(&self, other: &Self) -> bool {
        precedes(self.moved.as_ref(), other.moved.as_ref())
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.version.as_deref().unwrap_or(&self.digest))
    }
}

/// Whether `earlier` stands before `later` in one log.
pub(crate) fn precedes(earlier: Option<&MoveId>, later: Option<&MoveId>) -> bool {
    match (earlier, later) {
        (Some(earlier), Some(later)) => earlier.epoch == later.epoch && earlier.sequence < later.sequence,
        _ => false,
    }
}
