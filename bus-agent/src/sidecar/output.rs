//! Keeps files current and runs what should be run after.

use std::fs;
use std::io;
use std::path::PathBuf;
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
    /// The file changed, and its command has not ended well since.
    owed: bool,
}

impl Outputs {
    /// Keeps `outputs` current.
    #[must_use]
    pub fn new(outputs: Vec<Output>) -> Self {
        let outputs = outputs
            .into_iter()
            .map(|output| Tracked { output, owed: false })
            .collect();
        Self { outputs }
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
    /// Writes the file when its bytes differ; whether they did.
    fn write(&self, new: &Configuration) -> io::Result<bool> {
        let content = self.format.render(new);
        if fs::read(&self.file).is_ok_and(|old| old == content.as_bytes()) {
            return Ok(false);
        }
        atomic_file::write(&self.file, content.as_bytes(), self.mode)?;
        Ok(true)
    }
}

impl Tracked {
    async fn write(&mut self, new: &Arc<Configuration>) -> Result<(), String> {
        let (output, configuration) = (self.output.clone(), Arc::clone(new));
        let written = spawn_blocking(move || output.write(&configuration)).await;
        let file = self.output.file.display();
        match written.unwrap_or_else(|ended| Err(io::Error::other(ended))) {
            Ok(false) => {}
            Ok(true) => {
                info!(%file, commit.id = new.revision().version, "a file was written");
                self.owed = true;
            }
            Err(error) => return Err(format!("{file} could not be written: {error}")),
        }
        Ok(())
    }

    async fn run(&mut self, new: &Configuration) -> Result<(), String> {
        let (true, Some(run)) = (self.owed, &self.output.run) else {
            return Ok(());
        };
        let variables = [
            ("CONFIG_BUS_FILE", self.output.file.display().to_string()),
            ("CONFIG_BUS_VERSION", new.revision().version.clone().unwrap_or_default()),
        ];
        command::run(run, &variables, self.output.run_timeout)
            .await
            .map_err(|error| format!("{} was written, but {}", self.output.file.display(), explain(&error)))?;
        self.owed = false;
        Ok(())
    }
}
