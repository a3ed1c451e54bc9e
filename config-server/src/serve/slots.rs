//! How many connections may be open at one time.

use std::sync::Arc;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::warn;

/// File descriptors that are left to everything else: git, the file of state, the broker.
const RESERVED: usize = 256;
/// Below this part of all slots they are scarce.
const SCARCE: usize = 4;

/// The slots of one listener. A cheap handle.
#[derive(Debug, Clone)]
pub struct Slots {
    free: Arc<Semaphore>,
    limit: usize,
}

impl Slots {
    /// `wanted` slots, or as many as the system gives this process file descriptors for. Many
    /// systems start processes with a thousand, and let them ask for more: that is done here.
    #[must_use]
    pub fn open(wanted: usize) -> Self {
        let limit = fitting(wanted, descriptors());
        if limit < wanted {
            warn!(
                wanted,
                limit, "fewer connections than `config-bus.http.max-connections`: the system allows no more open files"
            );
        }
        Self {
            free: Arc::new(Semaphore::new(limit)),
            limit,
        }
    }

    /// Waits for a free one; the system's backlog holds newcomers meanwhile.
    pub(super) async fn take(&self) -> OwnedSemaphorePermit {
        if let Ok(slot) = Arc::clone(&self.free).try_acquire_owned() {
            return slot;
        }
        warn!(
            limit = self.limit,
            "the connection limit is reached: new connections wait until others end"
        );
        let slot = Arc::clone(&self.free).acquire_owned().await;
        slot.expect("the semaphore is never closed")
    }

    /// Whether whoever needs none should give its own back.
    pub(super) fn are_scarce(&self) -> bool {
        self.free.available_permits() < self.limit / SCARCE
    }
}

/// How many files and sockets this process may have open, once it has asked for all it may; `None`
/// when there is no limit.
fn descriptors() -> Option<usize> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let all = Rlimit {
        current: maximum,
        maximum,
    };
    // What is refused leaves the limit as it was, which is looked at next.
    let _ = setrlimit(Resource::Nofile, all);
    let granted = getrlimit(Resource::Nofile).current?;
    Some(usize::try_from(granted).unwrap_or(usize::MAX))
}

/// At least one, for a server that takes nobody is of no use.
fn fitting(wanted: usize, descriptors: Option<usize>) -> usize {
    let most = descriptors.map_or(wanted, |all| all.saturating_sub(RESERVED).max(1));
    wanted.min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_connections_than_the_system_gives_descriptors_for() {
        for (wanted, descriptors, limit) in [
            (20_000, None, 20_000),
            (20_000, Some(1_048_576), 20_000),
            (20_000, Some(20_000), 19_744),
            (20_000, Some(1_024), 768),
            (20_000, Some(100), 1),
        ] {
            assert_eq!(fitting(wanted, descriptors), limit, "{descriptors:?}");
        }
    }

    #[tokio::test]
    async fn slots_are_scarce_when_three_quarters_are_taken() {
        let slots = Slots::open(8);
        let mut taken = Vec::new();
        for _ in 0..6 {
            taken.push(slots.take().await);
            assert!(!slots.are_scarce());
        }
        taken.push(slots.take().await);
        assert!(slots.are_scarce());
        taken.clear();
        assert!(!slots.are_scarce());
    }
}
