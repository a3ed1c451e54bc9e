//! The two servers, each a process of its own: this program again, in another role.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use bytes::Bytes;
use config_server::app;
use config_server::settings::load::{Disk, Sources, load};
use http_body_util::Full;
use hyper::header::CONTENT_TYPE;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::repositories::Repository;

/// A running server; it goes when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    process: Child,
}

impl Server {
    /// The config server over `repository`.
    pub(crate) fn config(repository: &Repository, directory: &Path) -> Result<Self> {
        let directory = directory.display().to_string();
        Self::start(&["config", &repository.uri(), &directory, repository.search_paths])
    }

    /// The bare server that sends `file`.
    pub(crate) fn bare(file: &Path) -> Result<Self> {
        Self::start(&["bare", &file.display().to_string()])
    }

    /// Memory the process holds.
    pub(crate) fn memory_kilobytes(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .context("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }

    fn start(role: &[&str]) -> Result<Self> {
        let program = std::env::current_exe()?;
        let mut process = Command::new(program).args(role).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().context("no output")?).read_line(&mut line)?;
        let address = line.trim().parse().context("the server did not start")?;
        Ok(Self { address, process })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Plays the config server until it is killed.
pub(crate) async fn serve_config(uri: &str, directory: &Path, search_paths: &str) -> Result<()> {
    let arguments = [
        format!("--spring.cloud.config.server.git.uri={uri}"),
        format!("--spring.cloud.config.server.git.search-paths={search_paths}"),
        format!("--config-bus.data-dir={}", directory.display()),
    ];
    let settings = load(&Sources {
        arguments: &arguments,
        environment: &BTreeMap::new(),
        files: &Disk,
    })?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    tell(listener.local_addr()?)?;
    Ok(app::run(listener, settings, CancellationToken::new()).await?)
}

/// Plays the bare server until it is killed: hyper, one answer, nothing else.
pub(crate) async fn serve_bare(file: &Path) -> Result<()> {
    let body = Bytes::from(std::fs::read(file)?);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    tell(listener.local_addr()?)?;
    let connections = TaskTracker::new();
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let body = body.clone();
        let service = service_fn(move |_: Request<hyper::body::Incoming>| {
            let mut response = Response::new(Full::new(body.clone()));
            let json = hyper::header::HeaderValue::from_static("application/json");
            response.headers_mut().insert(CONTENT_TYPE, json);
            async { Ok::<_, Infallible>(response) }
        });
        connections.spawn(async move {
            let builder = Builder::new(TokioExecutor::new());
            let _ = builder.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

fn tell(address: SocketAddr) -> Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{address}")?;
    Ok(out.flush()?)
}
