//! Who runs the work on the connection, and the handle everybody else holds.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
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
    desk: Desk,
    epoch: Arc<str>,
}

/// Where work on the connection is done.
#[derive(Clone)]
enum Desk {
    /// On the thread that owns it.
    Thread(mpsc::Sender<Job>),
    /// On the caller's.
    Here(Arc<Mutex<Connection>>),
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
            desk: Desk::Thread(jobs),
            epoch: epoch.into(),
        })
    }

    /// A journal in memory that works on its caller's thread: what it is asked for is done when the
    /// future is first polled. For those who schedule everything themselves.
    ///
    /// # Errors
    /// [`JournalError`] when there is no memory for it.
    pub fn in_memory() -> Result<Self, JournalError> {
        let (connection, epoch) = schema::open(None)?;
        Ok(Self {
            desk: Desk::Here(Arc::new(Mutex::new(connection))),
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
        let outcome = match &self.desk {
            Desk::Thread(jobs) => hand_over(jobs, work).await?,
            Desk::Here(connection) => commit(&mut connection.lock().unwrap_or_else(PoisonError::into_inner), work),
        };
        outcome.map_err(|source| JournalError::doing(operation, source))
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Thread(_) => "Thread",
            Self::Here(_) => "Here",
        })
    }
}

async fn hand_over<T: Send + 'static>(
    jobs: &mpsc::Sender<Job>,
    work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
) -> Result<rusqlite::Result<T>, JournalError> {
    let (done, answer) = oneshot::channel();
    let job: Job = Box::new(move |connection| {
        // The caller may have stopped waiting; the work counts all the same.
        let _ = done.send(commit(connection, work));
    });
    jobs.send(job).await.map_err(|_| JournalError::Closed)?;
    answer.await.map_err(|_| JournalError::Closed)
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
