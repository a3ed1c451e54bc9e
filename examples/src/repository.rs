//! A git repository to play with, made from the sample configuration.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// A work tree with the sample configuration, committed on `main`.
#[derive(Debug)]
pub struct SampleRepository {
    path: PathBuf,
}

impl SampleRepository {
    /// Makes the repository in `path`, or opens the one that an earlier run made there.
    ///
    /// # Errors
    /// When git is missing, or `path` cannot be written.
    pub fn open(path: &Path) -> Result<Self> {
        let repository = Self {
            path: path.to_path_buf(),
        };
        if !path.join(".git").exists() {
            fs::create_dir_all(path).with_context(|| format!("cannot create {}", path.display()))?;
            copy_sample(path)?;
            repository.git(&["init", "--quiet", "--initial-branch", "main"])?;
            repository.commit("Sample configuration")?;
        }
        Ok(repository)
    }

    /// Where its files stand.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The address a config server reads it from.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("file://{}", self.path.display())
    }

    /// Writes `content` to `file` and commits it.
    ///
    /// # Errors
    /// When the file cannot be written or git refuses.
    pub fn change(&self, file: &str, content: &str) -> Result<()> {
        fs::write(self.path.join(file), content).with_context(|| format!("cannot write {file}"))?;
        self.commit(&format!("Change {file}"))
    }

    /// Commits every change of the work tree.
    ///
    /// # Errors
    /// When git refuses.
    pub fn commit(&self, message: &str) -> Result<()> {
        self.git(&["add", "--all"])?;
        self.git(&["commit", "--quiet", "--message", message])
    }

    fn git(&self, arguments: &[&str]) -> Result<()> {
        let output = Command::new("git")
            .args(["-c", "user.name=config-bus", "-c", "user.email=demo@config-bus.invalid"])
            .args(["-c", "commit.gpgsign=false"])
            .args(arguments)
            .current_dir(&self.path)
            .output()
            .context("git cannot be started")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "git {} failed: {}", arguments[0], said.trim());
        Ok(())
    }
}

fn copy_sample(to: &Path) -> Result<()> {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("config-repo");
    for entry in fs::read_dir(&sample).context("the sample configuration is missing")? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}
