//! Makes requests over many connections and measures how long each took.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How hard, and how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) duration: Duration,
    pub(crate) connections: usize,
}

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) per_second: f64,
    p50: Duration,
    p99: Duration,
}

/// One connection that is kept open.
struct Connection {
    stream: TcpStream,
    request: Vec<u8>,
    buffer: Vec<u8>,
}

impl Load {
    /// Asks for `path` on every connection, again as soon as the answer is there.
    pub(crate) async fn run(&self, server: SocketAddr, path: &str) -> Result<Measured> {
        let mut workers = JoinSet::new();
        let until = Instant::now() + self.duration;
        for _ in 0..self.connections {
            let mut connection = Connection::open(server, path).await?;
            workers.spawn(async move {
                let mut took = Vec::with_capacity(1 << 16);
                while Instant::now() < until {
                    let asked = Instant::now();
                    connection.exchange().await?;
                    took.push(asked.elapsed());
                }
                anyhow::Ok(took)
            });
        }
        let mut took = Vec::new();
        while let Some(worker) = workers.join_next().await {
            took.extend(worker??);
        }
        took.sort_unstable();
        let at = |share: f64| took.get((took.len() as f64 * share) as usize).copied();
        Ok(Measured {
            per_second: took.len() as f64 / self.duration.as_secs_f64(),
            p50: at(0.50).context("no request was answered")?,
            p99: at(0.99).context("no request was answered")?,
        })
    }
}

impl Measured {
    /// The turn with the most requests.
    pub(crate) fn best(turns: &[Self]) -> Self {
        let best = turns.iter().max_by(|a, b| a.per_second.total_cmp(&b.per_second));
        *best.expect("there was a turn")
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = |duration: Duration| duration.as_secs_f64() * 1000.0;
        let (per_second, p50, p99) = (self.per_second, millis(self.p50), millis(self.p99));
        write!(f, "{per_second:8.0} requests/s   p50 {p50:6.2} ms   p99 {p99:6.2} ms")
    }
}

/// The body of one answer.
pub(crate) async fn fetch(server: SocketAddr, path: &str) -> Result<Vec<u8>> {
    let mut connection = Connection::open(server, path).await?;
    let head = connection.exchange().await?;
    Ok(connection.buffer[head..].to_vec())
}

impl Connection {
    async fn open(server: SocketAddr, path: &str) -> Result<Self> {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            request: format!("GET {path} HTTP/1.1\r\nHost: {server}\r\n\r\n").into_bytes(),
            buffer: Vec::with_capacity(1 << 16),
        })
    }

    /// Sends the request and reads the whole answer; how long its head is.
    async fn exchange(&mut self) -> Result<usize> {
        self.stream.write_all(&self.request).await?;
        self.buffer.clear();
        let head = loop {
            self.read().await?;
            if let Some(at) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
        };
        ensure!(self.buffer.starts_with(b"HTTP/1.1 200"), "not answered with 200");
        let length = content_length(&self.buffer[..head]).context("an answer without a length")?;
        while self.buffer.len() < head + length {
            self.read().await?;
        }
        Ok(head)
    }

    async fn read(&mut self) -> Result<()> {
        let read = self.stream.read_buf(&mut self.buffer).await?;
        ensure!(read > 0, "the server closed the connection");
        Ok(())
    }
}

fn content_length(head: &[u8]) -> Option<usize> {
    let head = std::str::from_utf8(head).ok()?;
    let mut fields = head.split("\r\n").filter_map(|line| line.split_once(':'));
    let (_, length) = fields.find(|(name, _)| name.eq_ignore_ascii_case("content-length"))?;
    length.trim().parse().ok()
}
