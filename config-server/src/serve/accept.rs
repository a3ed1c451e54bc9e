//! The accept loop.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::connection::{Answers, Protocol, Streams};
use super::slots::Slots;
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
    slots: Slots,
    handshake_timeout: Duration,
    grace: Duration,
    connections: JoinSet<()>,
    streams: Streams,
}

/// How the connections ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Every request was answered.
    Clean,
    /// This many connections were cut when the grace period was over.
    Cut(usize),
}

impl Server {
    /// A server with the limits of `settings`. `tls: None` speaks plain HTTP.
    #[must_use]
    pub fn new(settings: &HttpSettings, tls: Option<Arc<Tls>>) -> Self {
        let (streams, slots) = (Streams::default(), Slots::open(settings.max_connections));
        Self {
            protocol: Protocol::new(settings, streams.clone(), slots.clone()),
            tls,
            slots,
            handshake_timeout: settings.header_timeout,
            grace: settings.shutdown_grace,
            connections: JoinSet::new(),
            streams,
        }
    }

    /// Accepts until `stop`, then lets requests finish within the grace period.
    ///
    /// # Errors
    /// Never for a single connection: those end alone. An error means that the listener is gone.
    pub async fn run<A>(mut self, listener: TcpListener, answers: A, stop: CancellationToken) -> io::Result<Drained>
    where
        A: Answers,
    {
        let accepted = self.accept_all(&listener, &answers, &stop).await;
        drop(listener);
        stop.cancel();
        let drained = self.drain().await;
        accepted.map(|()| drained)
    }

    async fn accept_all<A: Answers>(
        &mut self,
        listener: &TcpListener,
        answers: &A,
        stop: &CancellationToken,
    ) -> io::Result<()> {
        loop {
            let Some(slot) = stop.run_until_cancelled(self.slots.take()).await else {
                return Ok(());
            };
            let Some(accepted) = stop.run_until_cancelled(listener.accept()).await else {
                return Ok(());
            };
            while self.connections.try_join_next().is_some() {}
            match accepted {
                Ok((stream, _)) => self.start(stream, answers.clone(), stop.clone(), slot),
                Err(error) => survive(error).await?,
            }
        }
    }

    fn start<A: Answers>(
        &mut self,
        stream: TcpStream,
        answers: A,
        stop: CancellationToken,
        slot: OwnedSemaphorePermit,
    ) {
        let _ = stream.set_nodelay(true);
        let protocol = self.protocol.clone();
        let tls = self.tls.clone();
        let handshake_timeout = self.handshake_timeout;
        self.connections.spawn(async move {
            let _slot = slot;
            match tls {
                None => protocol.speak(stream, answers, &stop).await,
                Some(tls) => match tls.handshake(stream, handshake_timeout).await {
                    // On its own, or every plain connection is as large as an encrypted one.
                    Ok(stream) => Box::pin(protocol.speak(stream, answers, &stop)).await,
                    Err(error) => debug!(%error, "no TLS session with a client"),
                },
            }
        });
    }

    async fn drain(mut self) -> Drained {
        self.streams.tasks.close();
        while self.connections.try_join_next().is_some() {}
        if !self.connections.is_empty() {
            info!(connections = self.connections.len(), "letting requests finish");
        }
        let finished = async {
            while self.connections.join_next().await.is_some() {}
            self.streams.tasks.wait().await;
        };
        if timeout(self.grace, finished).await.is_ok() {
            return Drained::Clean;
        }
        let left = self.connections.len();
        self.connections.shutdown().await;
        self.streams.cut.cancel();
        Drained::Cut(left)
    }
}

/// A connection that died while it was accepted is the client's business; no file descriptors is
/// everybody's, and passes.
async fn survive(error: io::Error) -> io::Result<()> {
    match error.kind() {
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused => Ok(()),
        io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported => Err(error),
        _ => {
            warn!(%error, "cannot accept a connection now");
            sleep(ACCEPT_PAUSE).await;
            Ok(())
        }
    }
}
