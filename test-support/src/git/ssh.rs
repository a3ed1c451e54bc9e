//! `sshd`: the upstream over `ssh://`, with keys made for the occasion.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use super::daemon::wait_until_listening;
use super::{GitFixture, UPSTREAM};
use crate::ports::free_port;

/// A server of one's own on a free port; it ends when dropped.
#[derive(Debug)]
pub struct Sshd {
    server: Child,
    port: u16,
    files: TempDir,
    upstream: PathBuf,
}

impl Sshd {
    /// Whether an SSH server is installed. Tests that need one say so loudly when it is not.
    #[must_use]
    pub fn is_installed() -> bool {
        program().is_some()
    }

    /// Serves to whoever holds [`Sshd::private_key`].
    ///
    /// # Errors
    /// When no server is installed, or it does not start.
    pub fn start(fixture: &GitFixture) -> Result<Self> {
        let program = program().context("no sshd is installed")?;
        let files = TempDir::new()?;
        make_key(&files.path().join("host"), "")?;
        make_key(&files.path().join("client"), "")?;
        make_key(&files.path().join("locked"), "open sesame")?;
        let trusted = ["client.pub", "locked.pub"].map(|name| fs::read_to_string(files.path().join(name)));
        let [client, locked] = trusted;
        fs::write(files.path().join("authorized"), client? + &locked?)?;
        let port = free_port()?;
        fs::write(files.path().join("config"), config(files.path(), port))?;
        // The server refuses to start without it, wherever its own files are.
        let _ = fs::create_dir_all("/run/sshd");
        let server = Command::new(program)
            .args(["-D", "-e", "-f"])
            .arg(files.path().join("config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(files.path().join("log"))?)
            .spawn()
            .context("starting sshd")?;
        let mut sshd = Self {
            server,
            port,
            files,
            upstream: fixture.root().join(UPSTREAM),
        };
        sshd.wait_until_it_listens()?;
        Ok(sshd)
    }

    /// The upstream's address.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("ssh://{}@127.0.0.1:{}{}", user(), self.port, self.upstream.display())
    }

    /// The key that opens, in PEM.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn private_key(&self) -> Result<String> {
        self.read("client")
    }

    /// A key that opens as well, under the passphrase `open sesame`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn locked_key(&self) -> Result<String> {
        self.read("locked")
    }

    /// The server's own key: algorithm and base64.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn host_key(&self) -> Result<(String, String)> {
        let line = self.read("host.pub")?;
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            (Some(algorithm), Some(key)) => Ok((algorithm.to_owned(), key.to_owned())),
            _ => bail!("the host key is not one line"),
        }
    }

    fn read(&self, name: &str) -> Result<String> {
        fs::read_to_string(self.files.path().join(name)).context("reading a key")
    }

    fn wait_until_it_listens(&mut self) -> Result<()> {
        let log = self.files.path().join("log");
        wait_until_listening(self.port, || match self.server.try_wait()? {
            Some(_) => bail!("sshd ended: {}", fs::read_to_string(&log).unwrap_or_default()),
            None => Ok(()),
        })
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        // Ended already: that is what was wanted.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn program() -> Option<&'static str> {
    ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"]
        .into_iter()
        .find(|path| Path::new(path).exists())
}

/// Whoever runs the test.
fn user() -> String {
    let output = Command::new("id").arg("-un").output();
    let name = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    name.unwrap_or_else(|_| "root".to_owned())
}

fn make_key(path: &Path, passphrase: &str) -> Result<()> {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", passphrase, "-f"])
        .arg(path)
        .stdin(Stdio::null())
        .status()
        .context("is ssh-keygen installed?")?;
    ensure!(made.success(), "ssh-keygen failed");
    Ok(())
}

fn config(files: &Path, port: u16) -> String {
    let files = files.display();
    format!(
        "ListenAddress 127.0.0.1\nPort {port}\nHostKey {files}/host\nPidFile none\n\
         AuthorizedKeysFile {files}/authorized\nStrictModes no\nUsePAM no\n\
         PasswordAuthentication no\nPubkeyAuthentication yes\nPermitRootLogin yes\n"
    )
}
