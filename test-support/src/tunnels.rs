//! An HTTP proxy that opens tunnels (`CONNECT`, RFC 9110 section 9.3.6): what stands before `https`
//! servers in many a company.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// Bytes that a request may have.
const LONGEST: usize = 16 * 1024;
const END: &[u8] = b"\r\n\r\n";

/// A proxy of one's own on a free port. Dropping it cuts every tunnel.
#[derive(Debug)]
pub struct TunnelProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    _end: DropGuard,
}

#[derive(Debug)]
struct Shared {
    /// `Basic ...`, when a login is asked for.
    authorization: Option<String>,
    asked: Mutex<Vec<String>>,
    opened: Mutex<Vec<String>>,
}

impl TunnelProxy {
    /// Opens tunnels for everybody, to wherever they want.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn start() -> Self {
        Self::listen(None).await
    }

    /// Opens them for those who send `authorization` (`Basic bmFtZTpwYXNzd29yZA==`).
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn start_for(authorization: &str) -> Self {
        Self::listen(Some(authorization.to_owned())).await
    }

    async fn listen(authorization: Option<String>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound port");
        let shared = Arc::new(Shared {
            authorization,
            asked: Mutex::default(),
            opened: Mutex::default(),
        });
        let (stop, tracker) = (CancellationToken::new(), TaskTracker::new());
        let accepting = accept(listener, Arc::clone(&shared), tracker.clone(), stop.clone());
        tracker.spawn(stop.clone().run_until_cancelled_owned(accepting));
        Self {
            address,
            shared,
            _end: stop.drop_guard(),
        }
    }

    /// Where clients connect.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Every request so far, as it was sent.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        list(&self.shared.asked).clone()
    }

    /// The `host:port` of every tunnel so far.
    #[must_use]
    pub fn opened(&self) -> Vec<String> {
        list(&self.shared.opened).clone()
    }
}

fn list(list: &Mutex<Vec<String>>) -> std::sync::MutexGuard<'_, Vec<String>> {
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, tracker: TaskTracker, stop: CancellationToken) {
    while let Ok((client, _)) = listener.accept().await {
        let (shared, stop) = (Arc::clone(&shared), stop.clone());
        // A client that breaks off is its own affair.
        tracker.spawn(async move { stop.run_until_cancelled(relay(client, &shared)).await });
    }
}

async fn relay(mut client: TcpStream, shared: &Shared) -> io::Result<()> {
    let request = request(&mut client).await?;
    list(&shared.asked).push(request.clone());
    let target = match shared.target(&request) {
        Ok(target) => target,
        Err(refusal) => return refuse(&mut client, refusal).await,
    };
    let Ok(mut server) = TcpStream::connect(target).await else {
        return refuse(&mut client, "502 Bad Gateway\r\n").await;
    };
    list(&shared.opened).push(target.to_owned());
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}

/// The head of a request; nobody sends more before the answer.
async fn request(client: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(END) {
        if client.read_buf(&mut head).await? == 0 || head.len() > LONGEST {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    String::from_utf8(head).map_err(|_| io::ErrorKind::InvalidData.into())
}

impl Shared {
    /// Where the tunnel goes, or the status and headers of the refusal.
    fn target<'r>(&self, request: &'r str) -> Result<&'r str, &'static str> {
        let mut lines = request.lines();
        let line = lines.next().unwrap_or_default();
        let Some(target) = line.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()) else {
            return Err("405 Method Not Allowed\r\nAllow: CONNECT\r\n");
        };
        let mut logins = lines.filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("proxy-authorization").then(|| value.trim())
        });
        if self.authorization.is_some() && logins.next() != self.authorization.as_deref() {
            return Err("407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"tunnels\"\r\n");
        }
        Ok(target)
    }
}

async fn refuse(client: &mut TcpStream, refusal: &str) -> io::Result<()> {
    let answer = format!("HTTP/1.1 {refusal}Content-Length: 0\r\nConnection: close\r\n\r\n");
    client.write_all(answer.as_bytes()).await?;
    client.shutdown().await
}
