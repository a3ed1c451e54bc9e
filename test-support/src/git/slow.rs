//! Remotes that never get anywhere.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// Takes connections and says nothing.
#[derive(Debug)]
pub struct Mute {
    port: u16,
    _end: DropGuard,
}

/// Takes connections and says one byte every half second: never silent for long, never done.
#[derive(Debug)]
pub struct Dripping {
    port: u16,
    _end: DropGuard,
}

impl Mute {
    /// Starts on a free port.
    ///
    /// # Errors
    /// When there is none.
    pub async fn start() -> Result<Self> {
        let (port, end) = serve(|stream| async move {
            // Holds the connection open.
            std::future::pending::<()>().await;
            drop(stream);
        })
        .await?;
        Ok(Self { port, _end: end })
    }

    /// Where it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Dripping {
    /// Starts on a free port. Every connection gets `bytes`, slowly, over and over.
    ///
    /// # Errors
    /// When there is none.
    pub async fn start(bytes: &'static [u8]) -> Result<Self> {
        let (port, end) = serve(move |mut stream| async move {
            // The client speaks first.
            if stream.read(&mut [0; 4096]).await.is_err() {
                return;
            }
            for byte in bytes.iter().cycle() {
                if stream.write_all(&[*byte]).await.is_err() {
                    return;
                }
                sleep(Duration::from_millis(500)).await;
            }
        })
        .await?;
        Ok(Self { port, _end: end })
    }

    /// Where it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }
}

async fn serve<F>(treat: impl Fn(TcpStream) -> F + Send + 'static) -> Result<(u16, DropGuard)>
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let port = listener.local_addr()?.port();
    let stop = CancellationToken::new();
    let tracker = TaskTracker::new();
    let (inner, ended) = (tracker.clone(), stop.clone());
    tracker.spawn(async move {
        loop {
            let accepted = tokio::select! {
                () = ended.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            let Ok((stream, _)) = accepted else { continue };
            let (treated, ended) = (treat(stream), ended.clone());
            inner.spawn(async move {
                tokio::select! {
                    () = ended.cancelled() => {}
                    () = treated => {}
                }
            });
        }
    });
    Ok((port, stop.drop_guard()))
}
