//! The accept loop.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, info, warn};

use super::connection::Protocol;
use super::tls::Tls;
use crate::settings::HttpSettings;

/// Pause after the system refused a connection (no file descriptors left): going on at once would
/// spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves one listener until it is stopped.
#[derive(Debug)]
pub struct Server {
    protocol: Protocol,
    tls: Option<Arc<Tls>>,
    slots: Arc<Semaphore>,
    max_connections: usize,
    handshake_timeout: Duration,
    grace: Duration,
    /// Every connection and every HTTP/2 stream.
    tasks: TaskTracker,
    /// Cuts what is still open when the grace period is over.
    cut: CancellationToken,
}

/// How the connections ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Every request was answered.
    Clean,
    /// This many connections (and HTTP/2 streams) were cut when the grace period was over.
    Cut(usize),
}

impl Server {
    /// A server with the limits of `settings`. `tls: None` speaks plain HTTP.
    #[must_use]
    pub fn new(settings: &HttpSettings, tls: Option<Arc<Tls>>) -> Self {
        let tasks = TaskTracker::new();
        Self {
            protocol: Protocol::new(settings, tasks.clone()),
            tls,
            slots: Arc::new(Semaphore::new(settings.max_connections)),
            max_connections: settings.max_connections,
            handshake_timeout: settings.header_timeout,
            grace: settings.shutdown_grace,
            tasks,
            cut: CancellationToken::new(),
        }
    }

    /// Accepts until `stop`, then lets requests finish within the grace period.
    ///
    /// # Errors
    /// Never for a single connection: those end alone. An error means that the listener is gone.
    pub async fn run(self, listener: TcpListener, router: Router, stop: CancellationToken) -> io::Result<Drained> {
        let accepted = self.accept_all(&listener, &router, &stop).await;
        drop(listener);
        stop.cancel();
        let drained = self.drain().await;
        accepted.map(|()| drained)
    }

    async fn accept_all(&self, listener: &TcpListener, router: &Router, stop: &CancellationToken) -> io::Result<()> {
        loop {
            let Some(slot) = stop.run_until_cancelled(self.slot()).await else {
                return Ok(());
            };
            let Some(accepted) = stop.run_until_cancelled(listener.accept()).await else {
                return Ok(());
            };
            match accepted {
                Ok((stream, _)) => self.start(stream, router.clone(), stop.clone(), slot),
                Err(error) => self.survive(error).await?,
            }
        }
    }

    /// Waits for a free connection slot; the system's backlog holds newcomers meanwhile.
    async fn slot(&self) -> OwnedSemaphorePermit {
        if let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() {
            return slot;
        }
        let limit = self.max_connections;
        warn!(
            limit,
            "the connection limit is reached: new connections wait until others end"
        );
        let slot = Arc::clone(&self.slots).acquire_owned().await;
        slot.expect("the semaphore is never closed")
    }

    fn start(&self, stream: TcpStream, router: Router, stop: CancellationToken, slot: OwnedSemaphorePermit) {
        let _ = stream.set_nodelay(true);
        let protocol = self.protocol.clone();
        let tls = self.tls.clone();
        let handshake_timeout = self.handshake_timeout;
        let cut = self.cut.clone();
        self.tasks.spawn(async move {
            let _slot = slot;
            let talk = async {
                match tls {
                    None => protocol.speak(stream, router, &stop).await,
                    Some(tls) => match tls.handshake(stream, handshake_timeout).await {
                        Ok(stream) => protocol.speak(stream, router, &stop).await,
                        Err(error) => debug!(%error, "no TLS session with a client"),
                    },
                }
            };
            cut.run_until_cancelled(talk).await;
        });
    }

    /// A connection that died while it was accepted is the client's business; no file descriptors
    /// is everybody's, and passes.
    async fn survive(&self, error: io::Error) -> io::Result<()> {
        match error.kind() {
            io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused => {
                Ok(())
            }
            io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported => Err(error),
            _ => {
                warn!(%error, "cannot accept a connection now");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                Ok(())
            }
        }
    }

    async fn drain(self) -> Drained {
        self.tasks.close();
        if !self.tasks.is_empty() {
            info!(connections = self.tasks.len(), "letting requests finish");
        }
        if tokio::time::timeout(self.grace, self.tasks.wait()).await.is_ok() {
            return Drained::Clean;
        }
        let left = self.tasks.len();
        self.cut.cancel();
        Drained::Cut(left)
    }
}
