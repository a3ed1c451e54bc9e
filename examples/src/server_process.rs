//! The config server as a process of its own: the measuring program again, in another role.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use config_server::app;
use config_server::settings::load::{Disk, Sources, load};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// A running server; it goes when this is dropped.
#[derive(Debug)]
pub struct ServerProcess {
    /// Where it listens.
    pub address: SocketAddr,
    process: Child,
}

impl ServerProcess {
    /// Starts this program with `arguments`, which make it [`tell`] its address once it listens.
    ///
    /// # Errors
    /// When it ends before it has told its address.
    pub fn start<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let program = std::env::current_exe()?;
        let mut process = Command::new(program).args(arguments).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().context("no output")?).read_line(&mut line)?;
        let address = line.trim().parse().context("the server did not start")?;
        Ok(Self { address, process })
    }

    /// Memory the process holds.
    ///
    /// # Errors
    /// When the process has ended.
    pub fn memory_kilobytes(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .context("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // It ends with whoever measures, however that went.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Plays the config server with `settings` (`--key=value`) on a free port until it is killed.
///
/// # Errors
/// When a setting does not fit, or the server cannot start.
pub async fn serve(settings: &[String]) -> Result<()> {
    let settings = load(&Sources {
        arguments: settings,
        environment: &BTreeMap::new(),
        files: &Disk,
    })?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    tell(listener.local_addr()?)?;
    Ok(app::run(listener, settings, CancellationToken::new()).await?)
}

/// Tells whoever started this process where it listens.
///
/// # Errors
/// When nobody reads standard output any more.
pub fn tell(address: SocketAddr) -> Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{address}")?;
    Ok(out.flush()?)
}
