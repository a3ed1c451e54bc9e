//! What is served: the sample of this project, and a large public configuration.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use examples::SampleRepository;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// One repository and what is asked of it.
#[derive(Debug)]
pub(crate) struct Repository {
    pub(crate) name: &'static str,
    pub(crate) request: &'static str,
    pub(crate) search_paths: &'static str,
    path: PathBuf,
}

/// Commits that land while reads are measured.
pub(crate) struct Moving {
    stop: CancellationToken,
    committing: JoinHandle<Result<usize>>,
}

impl Repository {
    /// Both of them, made below `directory`.
    pub(crate) fn all(directory: &Path) -> Result<Vec<Self>> {
        let sample = directory.join("sample/repository");
        SampleRepository::open(&sample)?;
        let mosip = directory.join("mosip/repository");
        clone_mosip(&mosip)?;
        Ok(vec![
            Self {
                name: "sample",
                request: "/orders/prod",
                search_paths: "",
                path: sample,
            },
            Self {
                name: "mosip",
                request: "/registration-processor/mz",
                search_paths: "sandbox",
                path: mosip,
            },
        ])
    }

    pub(crate) fn uri(&self) -> String {
        format!("file://{}", self.path.display())
    }

    /// Commits a file that nobody reads, and has the server look, over and over.
    pub(crate) fn keep_committing(&self, server: SocketAddr) -> Moving {
        let (path, stop) = (self.path.clone(), CancellationToken::new());
        let told = stop.clone();
        let committing = TaskTracker::new().spawn(async move {
            let (client, mut commits) = (reqwest::Client::new(), 0);
            while !told.is_cancelled() {
                commits += 1;
                let path = path.clone();
                tokio::task::spawn_blocking(move || commit(&path, commits)).await??;
                let refresh = format!("http://{server}/bus/refresh");
                client.post(refresh).send().await?.error_for_status()?;
            }
            Ok(commits)
        });
        Moving { stop, committing }
    }
}

impl Moving {
    /// Stops; how many commits there were.
    pub(crate) async fn stop(self) -> Result<usize> {
        self.stop.cancel();
        self.committing.await?
    }
}

fn commit(repository: &Path, number: usize) -> Result<()> {
    std::fs::write(repository.join("nobody.yml"), format!("number: {number}\n"))?;
    git(repository, &["add", "nobody.yml"])?;
    git(repository, &["commit", "--quiet", "--message", "Another one"])
}

/// From the stream that the tests of the server keep.
fn clone_mosip(to: &Path) -> Result<()> {
    let stream =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../config-server/tests/data/conformance/repos/public-mosip.fi");
    std::fs::create_dir_all(to)?;
    git(to, &["init", "--quiet", "--initial-branch", "main"])?;
    let stream = File::open(stream).context("the recorded repository is missing")?;
    let mut import = Command::new("git");
    import.args(["fast-import", "--quiet"]).current_dir(to).stdin(stream);
    ensure!(import.status()?.success(), "git fast-import failed");
    git(to, &["reset", "--quiet", "--hard", "main"])
}

fn git(directory: &Path, arguments: &[&str]) -> Result<()> {
    let status = Command::new("git")
        .args([
            "-c",
            "user.name=config-bus",
            "-c",
            "user.email=bench@config-bus.invalid",
        ])
        .args(["-c", "commit.gpgsign=false"])
        .args(arguments)
        .current_dir(directory)
        .status()
        .context("git cannot be started")?;
    ensure!(status.success(), "git {} failed", arguments[0]);
    Ok(())
}
