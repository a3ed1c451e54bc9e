//! Directories of this machine that are watched, so that a change in them is seen at once.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use notify::{Error, Event, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tokio::time::timeout;

/// Dropping it ends the watch.
#[derive(Debug)]
pub(super) struct Changes {
    watcher: RecommendedWatcher,
    noted: Arc<Notify>,
}

impl Changes {
    /// Watches nothing yet. `concerns` tells which events count; reads never do.
    ///
    /// # Errors
    /// When the system has no watch to give.
    pub(super) fn new(concerns: impl Fn(&Event) -> bool + Send + 'static) -> Result<Self, Error> {
        let noted = Arc::new(Notify::new());
        let note = noted.clone();
        let watcher = notify::recommended_watcher(move |event: Result<Event, Error>| {
            // An error may hide an event: looking costs little.
            if event.is_ok_and(|event| event.kind.is_access() || !concerns(&event)) {
                return;
            }
            note.notify_one();
        })?;
        Ok(Self { watcher, noted })
    }

    /// Watches `directory`, too.
    ///
    /// # Errors
    /// When it is not there, or the system has no watch to give.
    pub(super) fn watch(&mut self, directory: &Path, mode: RecursiveMode) -> Result<(), Error> {
        self.watcher.watch(directory, mode)
    }

    /// Ends when something has changed, and nothing more came for `quiet` or it has taken `longest`.
    pub(super) async fn settled(&self, quiet: Duration, longest: Duration) {
        self.noted.notified().await;
        let more = async { while timeout(quiet, self.noted.notified()).await.is_ok() {} };
        let _ = timeout(longest, more).await;
    }
}
