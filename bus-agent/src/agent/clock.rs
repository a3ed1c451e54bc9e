//! The time the reconciler is given: since the agent started. And the time events are given.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// Counts from the start of one agent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock(Instant);

/// Farther away than any timer: tokio's clock cannot add the longest duration.
const FAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// Milliseconds since 1970: what events are dated by.
pub(super) fn unix_millis() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, millis)
}

/// Whole milliseconds: what reports count in.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

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
