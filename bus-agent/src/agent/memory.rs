//! The last known good configuration of a running agent: written when something new is live, and
//! again and again while the disk refuses.

use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

use crate::follows::Follows;
use crate::last_known_good::{LastKnownGood, LastKnownGoodError, Remembered};

/// How soon it is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// Where it is written, and when next without a cause.
#[derive(Debug)]
pub(super) struct Memory {
    place: LastKnownGood,
    due: Option<Instant>,
}

impl Memory {
    pub(super) fn within(directory: &Path, follows: &Follows) -> Self {
        Self {
            place: LastKnownGood::within(directory, follows),
            due: None,
        }
    }

    pub(super) fn place(&self) -> &LastKnownGood {
        &self.place
    }

    /// When what is live is to be written again; `None` while it is written down.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Writes what is live; blocks. To be told to [`Memory::settle`].
    pub(super) fn writing(&self, remembered: Remembered) -> impl FnOnce() -> Result<(), LastKnownGoodError> + use<> {
        let place = self.place.clone();
        move || place.remember(&remembered)
    }

    /// Whether the last write went well.
    pub(super) fn settle(&mut self, is_written: bool) {
        self.due = (!is_written).then(|| Instant::now() + AGAIN);
    }
}
