//! The order of stopping: not ready, no new connections, requests finished, no more refreshes, the
//! outbox emptied as far as the bus takes it, the bus left.

use std::time::Duration;

use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::change::Change;
use crate::tasks::Tasks;

/// For one step. What is not done then waits in the file of state for the next start.
const STEP: Duration = Duration::from_secs(5);

/// What is stopped one after the other.
#[derive(Debug, Default)]
pub(super) struct Stages {
    /// New connections, and event streams.
    pub(super) accepting: CancellationToken,
    /// Looks at the remotes.
    pub(super) refreshing: CancellationToken,
    /// From the outbox to the bus.
    pub(super) publishing: CancellationToken,
    /// The connection to the bus.
    pub(super) connected: CancellationToken,
}

impl Stages {
    /// Stops the workers when the last request is answered.
    pub(super) async fn stop_workers(&self, change: &Change, tasks: &Tasks) {
        self.refreshing.cancel();
        let progress = change.flush(STEP).await;
        if progress.queued > 0 {
            let events = progress.queued;
            warn!(
                events,
                "events wait in the outbox for the next start: the bus did not take them"
            );
        }
        self.publishing.cancel();
        self.connected.cancel();
        wait("leaving the bus", tasks.ended_all()).await;
    }

    pub(super) fn cancel_all(&self) {
        for stage in [&self.accepting, &self.refreshing, &self.publishing, &self.connected] {
            stage.cancel();
        }
    }
}

/// Waits for one step, and says so when it takes too long.
pub(super) async fn wait(step: &str, done: impl Future<Output = ()>) {
    if timeout(STEP, done).await.is_err() {
        warn!(step, "a step of stopping took too long: going on without it");
    }
}
