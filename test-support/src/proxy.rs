//! A TCP proxy that breaks connections in every way a network does.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const BUFFER: usize = 16 * 1024;

/// Stands between clients and what they connect to. Dropping it cuts everything.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: CancellationToken,
}

/// What the network does to bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// Passes them on.
    Fair,
    /// Passes nothing on and says nothing: a half-open connection. What was sent meanwhile arrives
    /// once it is fair again, as retransmission would have it.
    Frozen,
    /// Refuses new connections; established ones go on.
    Closed,
    /// Passes each piece on after a pause.
    Delayed(Duration),
    /// Passes single bytes on, each after a pause.
    Dripping(Duration),
}

#[derive(Debug)]
struct Shared {
    /// Taken in turn, one for each connection.
    upstreams: Vec<SocketAddr>,
    weather: watch::Sender<Weather>,
    /// Cancelled and replaced by each cut.
    cut: watch::Sender<u64>,
    open: AtomicUsize,
    accepted: AtomicUsize,
}

impl FaultProxy {
    /// Listens on a free port of this machine.
    ///
    /// # Panics
    /// When there is none.
    pub async fn start(upstream: SocketAddr) -> Self {
        Self::alternating(vec![upstream]).await
    }

    /// The same before several upstreams, which take turns: the first connection goes to the first.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn alternating(upstreams: Vec<SocketAddr>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound port");
        let shared = Arc::new(Shared {
            upstreams,
            weather: watch::Sender::new(Weather::Fair),
            cut: watch::Sender::new(0),
            open: AtomicUsize::new(0),
            accepted: AtomicUsize::new(0),
        });
        let stop = CancellationToken::new();
        let tracker = TaskTracker::new();
        let accepting = accept(listener, Arc::clone(&shared), tracker.clone(), stop.clone());
        let stopped = stop.clone();
        tracker.spawn(async move { stopped.run_until_cancelled(accepting).await });
        Self { address, shared, stop }
    }

    /// Where clients connect.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes the weather, for open connections too.
    pub fn set(&self, weather: Weather) {
        self.shared.weather.send_replace(weather);
    }

    /// Ends every open connection now.
    pub fn cut(&self) {
        self.shared.cut.send_modify(|cuts| *cuts += 1);
    }

    /// How many connections are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.shared.open.load(Ordering::Relaxed)
    }

    /// How many connections were ever taken.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.shared.accepted.load(Ordering::Relaxed)
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, tracker: TaskTracker, stop: CancellationToken) {
    while let Ok((client, _)) = listener.accept().await {
        if *shared.weather.borrow() == Weather::Closed {
            continue;
        }
        let (shared, stop) = (Arc::clone(&shared), stop.clone());
        tracker.spawn(async move { stop.run_until_cancelled(relay(client, &shared)).await });
    }
}

async fn relay(client: TcpStream, shared: &Shared) {
    let mut cut = shared.cut.subscribe();
    let turn = shared.accepted.fetch_add(1, Ordering::Relaxed);
    let upstream = shared.upstreams[turn % shared.upstreams.len()];
    shared.open.fetch_add(1, Ordering::Relaxed);
    tokio::select! {
        _ = both_ways(client, upstream, shared) => {}
        _ = cut.changed() => {}
    }
    shared.open.fetch_sub(1, Ordering::Relaxed);
}

async fn both_ways(client: TcpStream, upstream: SocketAddr, shared: &Shared) -> io::Result<()> {
    thawed(&mut shared.weather.subscribe()).await;
    let server = TcpStream::connect(upstream).await?;
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    tokio::select! {
        ended = one_way(from_client, to_server, shared) => ended,
        ended = one_way(from_server, to_client, shared) => ended,
    }
}

async fn one_way(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, shared: &Shared) -> io::Result<()> {
    let mut weather = shared.weather.subscribe();
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = from.read(&mut buffer).await?;
        // A half-open connection hides the end as well.
        let now = thawed(&mut weather).await;
        if read == 0 {
            return Ok(());
        }
        match now {
            Weather::Delayed(pause) => {
                sleep(pause).await;
                to.write_all(&buffer[..read]).await?;
            }
            Weather::Dripping(pause) => {
                for byte in &buffer[..read] {
                    sleep(pause).await;
                    to.write_all(&[*byte]).await?;
                }
            }
            Weather::Fair | Weather::Frozen | Weather::Closed => to.write_all(&buffer[..read]).await?,
        }
    }
}

async fn thawed(weather: &mut watch::Receiver<Weather>) -> Weather {
    match weather.wait_for(|weather| *weather != Weather::Frozen).await {
        Ok(weather) => *weather,
        Err(_) => Weather::Closed,
    }
}
