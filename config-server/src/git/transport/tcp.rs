//! `git://`: one TCP connection to `git daemon`.

use std::net::SocketAddr;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, lookup_host};

use super::{Line, Pipe, unreachable};
use crate::git::error::Failure;

/// Connects and asks for `path`.
pub(super) fn connect(line: &Line, host: &str, port: u16, path: &str) -> Result<Pipe<TcpStream>, Failure> {
    // A URL spells an IPv6 address in brackets, the resolver does not.
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let request = request(host, port, path);
    let stream = line.wait(async {
        let found = lookup_host((address, port)).await.map_err(|_| Failure::UnknownHost)?;
        let found: Vec<SocketAddr> = found.collect();
        let mut stream = TcpStream::connect(&*found).await.map_err(unreachable)?;
        stream.write_all(request.as_bytes()).await.map_err(unreachable)?;
        Ok(stream)
    })?;
    Ok(Pipe {
        line: line.clone(),
        stream,
    })
}

/// The first line of the git protocol, led by its length in hexadecimal (gitprotocol-pack).
fn request(host: &str, port: u16, path: &str) -> String {
    let body = format!("git-upload-pack {path}\0host={host}:{port}\0");
    format!("{:04x}{body}", body.len() + 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_counts_itself() {
        assert_eq!(request("h", 1, "/r"), "0020git-upload-pack /r\0host=h:1\0");
    }
}
