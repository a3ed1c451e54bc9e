//! Keeps files current and runs what should be run after.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

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
            faults.extend(tracked.write(new).err());
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

impl Tracked {
    fn write(&mut self, new: &Configuration) -> Result<(), String> {
        let Output { file, format, mode, .. } = &self.output;
        let content = format.render(new);
        if fs::read(file).is_ok_and(|old| old == content.as_bytes()) {
            return Ok(());
        }
        atomic_file::write(file, content.as_bytes(), *mode)
            .map_err(|error| format!("{} could not be written: {error}", file.display()))?;
        info!(file = %file.display(), commit.id = new.revision().version, "a file was written");
        self.owed = true;
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
