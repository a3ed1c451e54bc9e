//! The recorded repositories, made again from their streams and served by `git daemon`.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tokio::time::Instant;

use super::suite::Step;

const START: Duration = Duration::from_secs(20);

/// Bare repositories and the daemon that serves them; both go when this is dropped.
#[derive(Debug)]
pub(super) struct Repositories {
    data: PathBuf,
    directory: TempDir,
    daemon: Child,
    url: String,
}

impl Repositories {
    /// Makes every repository of `data/repos` and serves them.
    pub(super) fn serve(data: &Path) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        for entry in std::fs::read_dir(data.join("repos")).context("reading the repositories' streams")? {
            let stream = entry?.path();
            if stream.extension().is_some_and(|extension| extension == "fi") {
                let name = stream.file_stem().context("a name")?;
                make(&stream, &directory.path().join(name))?;
            }
        }
        let (daemon, port) = start_daemon(directory.path())?;
        Ok(Self {
            data: data.to_owned(),
            directory,
            daemon,
            url: format!("git://127.0.0.1:{port}"),
        })
    }

    /// Where they are served, without a trailing slash.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Does what happens to a repository before a request.
    pub(super) fn push(&self, steps: &[Step]) -> Result<()> {
        steps.iter().try_for_each(|step| self.step(step))
    }

    fn step(&self, step: &Step) -> Result<()> {
        let repository = self.directory.path().join(&step.repo);
        let hidden = self.directory.path().join(format!("{}.gone", step.repo));
        if let Some(stream) = &step.fast_import {
            import(&self.data.join(stream), &repository)?;
        }
        if let Some(arguments) = &step.git {
            run(git(&repository).args(arguments).stdout(Stdio::null()))?;
        }
        if step.hide.is_some() {
            std::fs::rename(&repository, &hidden)?;
        }
        if step.unhide.is_some() {
            std::fs::rename(&hidden, &repository)?;
        }
        Ok(())
    }
}

impl Drop for Repositories {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

fn make(stream: &Path, repository: &Path) -> Result<()> {
    let bytes = std::fs::read(stream)?;
    let head = String::from_utf8_lossy(&bytes);
    let branch = head
        .lines()
        .find_map(|line| line.strip_prefix("commit refs/heads/"))
        .context("a branch")?;
    run(Command::new("git")
        .args(["init", "-q", "--bare", "-b", branch])
        .arg(repository))?;
    import(stream, repository)
}

fn import(stream: &Path, repository: &Path) -> Result<()> {
    run(git(repository)
        .args(["fast-import", "--quiet", "--force"])
        .stdin(File::open(stream)?))
}

fn git(repository: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(repository);
    command
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().context("starting git")?;
    ensure!(status.success(), "git ended with {status}");
    Ok(())
}

/// A daemon on a port that was free a moment ago; when somebody was faster, on another.
fn start_daemon(directory: &Path) -> Result<(Child, u16)> {
    let deadline = Instant::now() + START;
    let program = program()?;
    while Instant::now() < deadline {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut daemon = Command::new(&program)
            .args(["--listen=127.0.0.1", "--export-all", "--reuseaddr"])
            .arg(format!("--port={port}"))
            .arg(format!("--base-path={}", directory.display()))
            .arg(directory)
            .stderr(Stdio::null())
            .spawn()
            .context("starting git daemon")?;
        while daemon.try_wait()?.is_none() && Instant::now() < deadline {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
                return Ok((daemon, port));
            }
            std::thread::yield_now();
        }
        let _ = daemon.kill();
        let _ = daemon.wait();
    }
    anyhow::bail!("git daemon does not start")
}

/// The daemon itself: killing a `git` that runs it would leave it behind.
fn program() -> Result<PathBuf> {
    let output = Command::new("git")
        .arg("--exec-path")
        .output()
        .context("starting git")?;
    Ok(Path::new(String::from_utf8(output.stdout)?.trim()).join("git-daemon"))
}
