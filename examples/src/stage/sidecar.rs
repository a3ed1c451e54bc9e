//! The sidecar as a process of its own: it keeps a file, and writes down what was in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use tempfile::TempDir;
use test_support::{Group, free_port, within};

use super::DEADLINE;
use super::history::Applied;
use super::program::program;

/// The command it runs after each change: one line `commit second=1 first=1`.
const NOTE: &str = r#"echo "$CONFIG_BUS_VERSION" $(cat "$CONFIG_BUS_FILE") >> "$CONFIG_BUS_FILE.log""#;

/// A sidecar of `shop/dev`. Its files outlive its process.
#[derive(Debug)]
pub struct Sidecar {
    process: Option<Group>,
    server: String,
    bus: String,
    memory: PathBuf,
    admin: u16,
    files: TempDir,
}

impl Sidecar {
    /// Starts one and waits for its first file. It remembers in `memory`, or among its files.
    ///
    /// # Errors
    /// When there is none in time.
    pub async fn start(server: &str, bus: &str, memory: Option<&Path>) -> Result<Self> {
        let files = TempDir::new().context("a directory")?;
        let mut sidecar = Self {
            process: None,
            server: server.to_owned(),
            bus: bus.to_owned(),
            memory: memory.map_or_else(|| files.path().join("memory"), Path::to_path_buf),
            admin: free_port()?,
            files,
        };
        sidecar.restart().await?;
        Ok(sidecar)
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Starts again with the same files, and waits until the file is there. A killed sidecar's file
    /// is removed, so that what appears was written anew.
    ///
    /// # Errors
    /// When it is not in time.
    pub async fn restart(&mut self) -> Result<()> {
        self.process = None;
        if self.file().exists() {
            fs::remove_file(self.file())?;
        }
        let before = self.history().len();
        self.process = Some(Group::spawn_logged(&self.command()?, &self.log()).context("the sidecar starts")?);
        let written = within("the sidecar's file is written", DEADLINE, async || {
            (self.history().len() > before).then_some(())
        });
        written.await.with_context(|| self.said())
    }

    /// Stops its process, or lets it go on: `STOP`, `CONT`.
    ///
    /// # Errors
    /// When it does not run.
    pub fn signal(&self, name: &str) -> Result<()> {
        let process = self.process.as_ref().context("the sidecar does not run")?;
        process.signal(name).context("the sidecar is gone")
    }

    /// The commit whose file was written last.
    #[must_use]
    pub fn commit(&self) -> Option<String> {
        Some(self.history().pop()?.commit)
    }

    /// Everything that was in the file, in order.
    #[must_use]
    pub fn history(&self) -> Vec<Applied> {
        let notes = fs::read_to_string(self.files.path().join("shop.properties.log")).unwrap_or_default();
        notes.lines().filter_map(noted).collect()
    }

    /// A member of its `/health`.
    pub async fn health(&self, member: &str) -> Option<serde_json::Value> {
        let url = format!("http://127.0.0.1:{}/health", self.admin);
        let health: serde_json::Value = reqwest::get(url).await.ok()?.json().await.ok()?;
        health.get(member).cloned()
    }

    /// What it exports.
    pub async fn metrics(&self) -> Option<String> {
        let url = format!("http://127.0.0.1:{}/metrics", self.admin);
        reqwest::get(url).await.ok()?.text().await.ok()
    }

    /// What it said so far.
    #[must_use]
    pub fn said(&self) -> String {
        fs::read_to_string(self.log()).unwrap_or_default()
    }

    fn command(&self) -> Result<Command> {
        let mut command = Command::new(program("bus-agent")?);
        command
            .args(["--server", &self.server, "--application", "shop", "--profiles", "dev"])
            .args(["--bus", &self.bus, "--interval", "1h", "--start-timeout", "1s"])
            .args(["--admin", &format!("127.0.0.1:{}", self.admin), "--run", NOTE])
            .arg("--last-known-good")
            .arg(&self.memory)
            .arg("--out")
            .arg(self.file());
        Ok(command)
    }

    fn file(&self) -> PathBuf {
        self.files.path().join("shop.properties")
    }

    fn log(&self) -> PathBuf {
        self.files.path().join("sidecar.log")
    }
}

fn noted(line: &str) -> Option<Applied> {
    let words: Vec<&str> = line.split(' ').collect();
    let value = |key: &str| words.iter().find_map(|word| word.strip_prefix(key));
    Some(Applied {
        commit: (*words.first()?).to_owned(),
        first: value("first=")?.to_owned(),
        second: value("second=")?.to_owned(),
    })
}
