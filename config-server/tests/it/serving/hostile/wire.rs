//! One GET, sent exactly as it is written.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::serving::harness::DEADLINE;

/// What came back.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) status: u16,
    /// Head and body.
    pub(super) text: String,
}

pub(super) async fn get(server: SocketAddr, path: &str) -> Answered {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\r\n");
    let mut answer = Vec::new();
    timeout(DEADLINE, async {
        let mut stream = TcpStream::connect(server).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.read_to_end(&mut answer).await.unwrap();
    })
    .await
    .expect("an answer in time");
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
    Answered {
        status: status.unwrap_or_else(|| panic!("{path}: no status in {text:?}")),
        text,
    }
}
