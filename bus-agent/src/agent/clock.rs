//! The time the reconciler is given: since the agent started.

use std::time::Duration;

use tokio::time::Instant;

/// Counts from the start of one agent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock(Instant);

/// Farther away than any timer: tokio's clock cannot add the longest duration.
const FAR: Duration = Duration::from_secs(365 * 24 * 3600);

impl Clock {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    pub(super) fn now(&self) -> Duration {
        self.0.elapsed()
    }

    /// When `since_start` will be; `None` is far away.
    pub(super) fn at(&self, since_start: Option<Duration>) -> Instant {
        self.0 + since_start.unwrap_or(FAR).min(FAR)
    }
}
