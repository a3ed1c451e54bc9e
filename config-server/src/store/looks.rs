//! How the looks at the remotes have ended.

use std::sync::atomic::{AtomicU64, Ordering};

use super::outcome::RefreshOutcome;

/// Looks by their outcome, since the start, over all repositories.
#[derive(Debug, Default)]
pub struct Looks {
    moved: AtomicU64,
    unchanged: AtomicU64,
    failed: AtomicU64,
}

impl Looks {
    pub(super) fn count(&self, outcome: &RefreshOutcome) {
        let counter = if !outcome.failures.is_empty() {
            &self.failed
        } else if outcome.moved() {
            &self.moved
        } else {
            &self.unchanged
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Each outcome by its name, with the number of looks that ended so.
    #[must_use]
    pub fn counts(&self) -> [(&'static str, u64); 3] {
        [
            ("moved", &self.moved),
            ("unchanged", &self.unchanged),
            ("failed", &self.failed),
        ]
        .map(|(name, counter)| (name, counter.load(Ordering::Relaxed)))
    }
}
