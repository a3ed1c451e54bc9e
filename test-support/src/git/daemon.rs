//! `git daemon`: the upstream over `git://`.

use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use super::{GitFixture, UPSTREAM, git_program, quiet};
use crate::ports::free_port;

/// A daemon of one's own on a free port; it ends when dropped.
#[derive(Debug)]
pub struct GitDaemon {
    daemon: Child,
    port: u16,
}

impl GitDaemon {
    /// Serves everything below the fixture's root.
    ///
    /// # Errors
    /// When git comes without the daemon, or it does not start.
    pub fn start(fixture: &GitFixture) -> Result<Self> {
        Self::serve(fixture.root())
    }

    /// Serves everything below `directory`.
    ///
    /// # Errors
    /// When git comes without the daemon, or it does not start.
    pub fn serve(directory: &Path) -> Result<Self> {
        let port = free_port()?;
        let mut command = Command::new(git_program("git-daemon")?);
        quiet(&mut command)
            .args(["--export-all", "--reuseaddr", "--listen=127.0.0.1"])
            .arg(format!("--port={port}"))
            .arg(format!("--base-path={}", directory.display()))
            .arg(directory)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut daemon = Self {
            daemon: command.spawn().context("starting git daemon")?,
            port,
        };
        daemon.wait_until_it_listens()?;
        Ok(daemon)
    }

    /// The address of a fixture's upstream.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("{}/{UPSTREAM}", self.url())
    }

    /// Where the directory is served, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        format!("git://127.0.0.1:{}", self.port)
    }

    fn wait_until_it_listens(&mut self) -> Result<()> {
        wait_until_listening(self.port, || match self.daemon.try_wait()? {
            Some(status) => bail!("git daemon ended: {status}"),
            None => Ok(()),
        })
    }
}

impl Drop for GitDaemon {
    fn drop(&mut self) {
        // Ended already: that is what was wanted.
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

/// Returns once something listens on `port`, or fails when `alive` does, or after five seconds.
pub(super) fn wait_until_listening(port: u16, mut alive: impl FnMut() -> Result<()>) -> Result<()> {
    for _ in 0..500 {
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(());
        }
        alive()?;
        #[expect(clippy::disallowed_methods, reason = "a process tells nobody that it listens")]
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    bail!("nothing listens on port {port} after five seconds")
}
