//! The thread that fetches for one repository: it owns the connection, and takes one order at a time.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::error::{Failure, GitError};
use super::mirror::Mirror;
use super::refs::RefTable;
use super::remote::Remote;
use super::transport::{Line, Route};
use crate::settings::GitSettings;

/// Orders that may wait; the refresher has one fetch in flight at a time.
const QUEUE: usize = 4;

/// The way to order fetches. The thread ends when this is dropped.
#[derive(Debug)]
pub struct Fetcher {
    orders: mpsc::Sender<Order>,
    remote: Arc<str>,
    /// Ends what runs, but not the thread.
    give_up: CancellationToken,
}

#[derive(Debug)]
struct Order {
    kind: OrderKind,
    done: oneshot::Sender<Result<RefTable, Failure>>,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderKind {
    /// Look at the remote and bring what is new.
    Fetch,
    /// The mirror is damaged: make it anew.
    CloneAnew,
    /// Nobody wants the mirror any longer: remove it from disk.
    Discard,
}

struct Worker {
    mirror: Arc<Mirror>,
    route: Arc<Route>,
    runtime: Arc<Runtime>,
    timeout: Duration,
    stop: CancellationToken,
    give_up: CancellationToken,
}

impl Fetcher {
    /// Starts the thread. `tracker` waits for its end.
    ///
    /// # Errors
    /// When the settings cannot be used or the system refuses a thread.
    pub fn start(
        remote: &Remote,
        settings: &GitSettings,
        mirror: Arc<Mirror>,
        tracker: &TaskTracker,
        stop: CancellationToken,
    ) -> Result<Self, GitError> {
        let named = |failure| GitError {
            remote: remote.shown.clone(),
            failure,
        };
        let runtime = Builder::new_current_thread().enable_all().build();
        let give_up = stop.child_token();
        let worker = Worker {
            mirror,
            route: Arc::new(Route::to(remote, settings).map_err(named)?),
            runtime: Arc::new(runtime.map_err(|error| named(Failure::disk(&error)))?),
            timeout: settings.timeout,
            stop,
            give_up: give_up.clone(),
        };
        let (orders, queue) = mpsc::channel(QUEUE);
        let (ended, end) = oneshot::channel::<()>();
        thread::Builder::new()
            .name("git".to_owned())
            .spawn(move || {
                worker.run(queue);
                drop(ended);
            })
            .map_err(|error| named(Failure::disk(&error)))?;
        tracker.spawn(async { drop(end.await) });
        Ok(Self {
            orders,
            remote: remote.shown.clone(),
            give_up,
        })
    }

    /// Removes the mirror from disk. A fetch that runs is given up; later ones fail.
    ///
    /// # Errors
    /// [`GitError`] says why it cannot be removed.
    pub async fn discard(&self) -> Result<(), GitError> {
        self.give_up.cancel();
        self.order(OrderKind::Discard).await.map(drop)
    }

    /// Has `kind` done and waits for it: at most the timeout, plus what stands before it.
    ///
    /// # Errors
    /// [`GitError`] says what went wrong with which remote.
    pub async fn order(&self, kind: OrderKind) -> Result<RefTable, GitError> {
        let (done, result) = oneshot::channel();
        let sent = self.orders.send(Order { kind, done }).await;
        let outcome = match sent {
            Ok(()) => result.await.unwrap_or(Err(Failure::Stopped)),
            Err(_) => Err(Failure::Stopped),
        };
        outcome.map_err(|failure| GitError {
            remote: self.remote.clone(),
            failure,
        })
    }
}

impl Worker {
    fn run(self, mut queue: mpsc::Receiver<Order>) {
        while let Some(order) = queue.blocking_recv() {
            if self.stop.is_cancelled() {
                break;
            }
            let outcome = self.obey(order.kind);
            // Whoever asked may have gone meanwhile.
            let _ = order.done.send(outcome);
        }
    }

    fn obey(&self, kind: OrderKind) -> Result<RefTable, Failure> {
        let line = || Line::new(&self.runtime, &self.route, self.timeout, &self.give_up);
        match kind {
            OrderKind::Fetch => self.mirror.fetch(&line()),
            OrderKind::CloneAnew => self.mirror.clone_anew(&line()),
            OrderKind::Discard => self.mirror.remove().map(|()| RefTable::default()),
        }
    }
}
