//! The task that writes down what was heard, many answers in one transaction.

use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::Delivery;
use crate::change::journal::JournalError;

/// Ten thousand agents answer within seconds: one transaction for each would be ten thousand syncs.
const GATHER: Duration = Duration::from_millis(250);
/// After a failure.
const RETRY: Duration = Duration::from_secs(5);

impl Delivery {
    /// Runs until `stop`, and writes what is left then.
    pub async fn write(self, stop: CancellationToken) {
        let mut pause = GATHER;
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = self.shared.unwritten.notified() => {}
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = sleep(pause) => {}
            }
            pause = match self.flush().await {
                Ok(()) => GATHER,
                Err(error) => {
                    warn!(
                        error = &error as &dyn std::error::Error,
                        "reports are kept in memory only for now"
                    );
                    RETRY
                }
            };
        }
        if let Err(error) = self.flush().await {
            warn!(
                error = &error as &dyn std::error::Error,
                "the last reports are not written down"
            );
        }
    }

    /// Writes down what is not yet.
    ///
    /// # Errors
    /// [`JournalError`]; it is tried again with the next one.
    pub async fn flush(&self) -> Result<(), JournalError> {
        let (answers, statuses) = self.state().take_unwritten();
        if answers.is_empty() && statuses.is_empty() {
            return Ok(());
        }
        let written = self.journal.heard(answers.clone(), statuses.clone()).await;
        if written.is_err() {
            self.state().put_back(answers, statuses);
            self.shared.unwritten.notify_one();
        }
        written
    }
}
