//! Keeps files current and runs what should be run after.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tracing::info;

use super::command;
use super::format::Format;
use crate::apply::{Applier, Veto};
use crate::atomic_file;
use crate::causes::explain;
use crate::configuration::{Configuration, KeysChanged};

const MARKER_MODE: u32 = 0o600;

/// One file, and the command that makes somebody read it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Output {
    /// Where.
    pub file: PathBuf,
    /// How.
    pub format: Format,
    /// Unix permission bits.
    pub mode: u32,
    /// Run in a shell after the file changed.
    pub run: Option<String>,
    /// How long the command may take.
    pub run_timeout: Duration,
}

/// The files of one sidecar.
#[derive(Debug)]
pub struct Outputs {
    outputs: Vec<Tracked>,
}

#[derive(Debug)]
struct Tracked {
    output: Output,
    debt: Debt,
}

/// The file changed, and its command has not ended well since. Written down beside the file before
/// the file is, so that a sidecar that was killed in between runs the command after its next start.
#[derive(Debug)]
struct Debt {
    marker: PathBuf,
    owed: bool,
}

impl Outputs {
    /// Keeps `outputs` current.
    #[must_use]
    pub fn new(outputs: Vec<Output>) -> Self {
        let track = |output: Output| Tracked {
            debt: Debt::beside(&output.file),
            output,
        };
        Self {
            outputs: outputs.into_iter().map(track).collect(),
        }
    }
}

impl Applier for Outputs {
    /// Writes every file whose bytes differ, then runs the commands of those. A file stays written
    /// when its command fails; the command is tried again.
    async fn apply(&mut self, new: &Arc<Configuration>, _: &KeysChanged) -> Result<(), Veto> {
        let mut faults = Vec::new();
        for tracked in &mut self.outputs {
            faults.extend(tracked.write(new).await.err());
        }
        for tracked in &mut self.outputs {
            faults.extend(tracked.run(new).await.err());
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(Veto::failed(faults.join("; ")))
        }
    }
}

impl Output {
    /// Writes the file when its bytes differ, after `owe` wrote down that a command follows; whether
    /// they did.
    fn write(&self, new: &Configuration, owe: impl FnOnce() -> io::Result<()>) -> io::Result<bool> {
        let content = self.format.render(new);
        if fs::read(&self.file).is_ok_and(|old| old == content.as_bytes()) {
            return Ok(false);
        }
        if self.run.is_some() {
            owe()?;
        }
        atomic_file::write(&self.file, content.as_bytes(), self.mode)?;
        Ok(true)
    }
}

impl Tracked {
    async fn write(&mut self, new: &Arc<Configuration>) -> Result<(), String> {
        let (output, configuration, marker) = (self.output.clone(), Arc::clone(new), self.debt.marker.clone());
        let owe = move || atomic_file::write(&marker, b"", MARKER_MODE);
        let written = spawn_blocking(move || output.write(&configuration, owe)).await;
        let file = self.output.file.display();
        match written.unwrap_or_else(|ended| Err(io::Error::other(ended))) {
            Ok(false) => {}
            Ok(true) => {
                info!(%file, commit.id = new.revision().version, "a file was written");
                self.debt.owed = true;
            }
            Err(error) => return Err(format!("{file} could not be written: {error}")),
        }
        Ok(())
    }

    async fn run(&mut self, new: &Configuration) -> Result<(), String> {
        let (true, Some(run)) = (self.debt.owed, &self.output.run) else {
            return Ok(());
        };
        let variables = [
            ("CONFIG_BUS_FILE", self.output.file.display().to_string()),
            ("CONFIG_BUS_VERSION", new.revision().version.clone().unwrap_or_default()),
        ];
        command::run(run, &variables, self.output.run_timeout)
            .await
            .map_err(|error| format!("{} was written, but {}", self.output.file.display(), explain(&error)))?;
        self.debt.settle();
        Ok(())
    }
}

impl Debt {
    fn beside(file: &Path) -> Self {
        let mut name = OsString::from(".");
        name.push(file.file_name().unwrap_or_default());
        name.push(".owed");
        let marker = file.with_file_name(name);
        Self {
            owed: marker.exists(),
            marker,
        }
    }

    fn settle(&mut self) {
        self.owed = false;
        // At worst the command runs once more after the next start.
        let _ = fs::remove_file(&self.marker);
    }
}
