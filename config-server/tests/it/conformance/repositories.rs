//! The recorded repositories, made again from their streams and served by `git daemon`.

use std::process::Stdio;

use anyhow::{Result, ensure};
use tempfile::TempDir;
use test_support::git::GitDaemon;

use super::suite::Step;
use crate::recorded;

/// Bare repositories and the daemon that serves them; both go when this is dropped.
#[derive(Debug)]
pub(super) struct Repositories {
    directory: TempDir,
    daemon: GitDaemon,
}

impl Repositories {
    /// Makes every one of them and serves them.
    pub(super) fn serve() -> Result<Self> {
        let directory = tempfile::tempdir()?;
        for name in recorded::names()? {
            recorded::make(&name, &directory.path().join(&name))?;
        }
        let daemon = GitDaemon::serve(directory.path())?;
        Ok(Self { directory, daemon })
    }

    /// Where they are served, without a trailing slash.
    pub(super) fn url(&self) -> String {
        self.daemon.url()
    }

    /// Does what happens to a repository before a request.
    pub(super) fn push(&self, steps: &[Step]) -> Result<()> {
        steps.iter().try_for_each(|step| self.step(step))
    }

    fn step(&self, step: &Step) -> Result<()> {
        let repository = self.directory.path().join(&step.repo);
        let hidden = self.directory.path().join(format!("{}.gone", step.repo));
        if let Some(stream) = &step.fast_import {
            recorded::import(&recorded::data().join(stream), &repository)?;
        }
        if let Some(arguments) = &step.git {
            let status = recorded::git(&repository)
                .args(arguments)
                .stdout(Stdio::null())
                .status()?;
            ensure!(status.success(), "git ended with {status}");
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
