//! The thread that owns the connection, and the handle everybody else holds.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::error::JournalError;
use super::schema;

/// Work that waits for the thread; who sends more waits, too.
const QUEUE: usize = 256;

/// A handle on the journal. The thread ends, and the file is closed, with the last of them.
#[derive(Debug, Clone)]
pub struct Journal {
    jobs: mpsc::Sender<Job>,
    epoch: Arc<str>,
}

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

impl Journal {
    /// Opens the journal in the file `database`, or one in memory.
    ///
    /// # Errors
    /// [`JournalError`] when the file is in use, cannot be read, or is of a newer version.
    pub async fn open(database: Option<PathBuf>) -> Result<Self, JournalError> {
        let (jobs, inbox) = mpsc::channel(QUEUE);
        let (opened, answer) = oneshot::channel();
        let run = move || match schema::open(database.as_deref()) {
            Ok((connection, epoch)) => {
                // Nobody waits for the answer any more: then there is no handle either.
                let _ = opened.send(Ok(epoch));
                serve(connection, inbox);
            }
            Err(error) => {
                let _ = opened.send(Err(error));
            }
        };
        thread::Builder::new()
            .name("journal".to_owned())
            .spawn(run)
            .map_err(JournalError::Start)?;
        let epoch = answer.await.map_err(|_| JournalError::Closed)??;
        Ok(Self {
            jobs,
            epoch: epoch.into(),
        })
    }

    /// The name of this log of head moves.
    #[must_use]
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// Runs `work` in a transaction of its own: all of it is written and synced, or nothing.
    pub(super) async fn transact<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, JournalError> {
        let (done, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // The caller may have stopped waiting; the work counts all the same.
            let _ = done.send(commit(connection, work));
        });
        self.jobs.send(job).await.map_err(|_| JournalError::Closed)?;
        let outcome = answer.await.map_err(|_| JournalError::Closed)?;
        outcome.map_err(|source| JournalError::doing(operation, source))
    }
}

fn serve(mut connection: Connection, mut inbox: mpsc::Receiver<Job>) {
    while let Some(job) = inbox.blocking_recv() {
        job(&mut connection);
    }
}

fn commit<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let value = work(&transaction)?;
    transaction.commit()?;
    Ok(value)
}
