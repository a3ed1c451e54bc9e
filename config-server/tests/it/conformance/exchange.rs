//! One request, sent exactly as it is written: a client that tidies paths would hide what the
//! server makes of untidy ones.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::suite::Request;

/// What came back.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) status: u16,
    /// Lower-case, without blanks; empty when there was none.
    pub(super) content_type: String,
    pub(super) body: Vec<u8>,
}

/// Sends `request` and reads the answer to its end.
pub(super) async fn send(server: SocketAddr, request: &Request) -> Result<Answered> {
    let mut stream = TcpStream::connect(server).await?;
    stream.write_all(&bytes(request, server)?).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    parse(&answer)
}

fn bytes(request: &Request, server: SocketAddr) -> Result<Vec<u8>> {
    let body = match (&request.body, &request.body_base64) {
        (_, Some(encoded)) => Some(STANDARD.decode(encoded)?),
        (text, None) => text.as_ref().map(|text| text.clone().into_bytes()),
    };
    let mut head = format!(
        "{} {} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n",
        request.method, request.path
    );
    for (name, value) in &request.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(body) = &body {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    Ok([head.into_bytes(), body.unwrap_or_default()].concat())
}

fn parse(answer: &[u8]) -> Result<Answered> {
    let end = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .context("the answer has no head")?;
    let head = std::str::from_utf8(&answer[..end])?;
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .context("no status line")?;
    let header = |wanted: &str| {
        let fields = head.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
        fields
            .clone()
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value.trim())
    };
    anyhow::ensure!(
        header("transfer-encoding").is_none(),
        "an answer of known length is sent in chunks"
    );
    Ok(Answered {
        status: status.parse()?,
        content_type: header("content-type")
            .unwrap_or_default()
            .to_lowercase()
            .replace(' ', ""),
        body: answer[end + 4..].to_vec(),
    })
}
