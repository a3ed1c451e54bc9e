//! A git repository to serve from, and the servers that serve it.
//!
//! [`GitFixture`] is a bare upstream in a temporary directory, written to with plain calls. It is
//! reached as a directory, or through [`GitDaemon`], [`GitHttp`] and [`Sshd`]; [`Mute`] and
//! [`Dripping`] are remotes that never get anywhere.

mod daemon;
mod http;
mod slow;
mod ssh;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

pub use daemon::GitDaemon;
pub use http::{Answer, GitHttp};
pub use slow::{Dripping, Mute};
pub use ssh::Sshd;

/// A bare upstream, and the work tree that commits are made in.
#[derive(Debug)]
pub struct GitFixture {
    root: TempDir,
}

/// The upstream's directory below the root; with it every address ends.
const UPSTREAM: &str = "config.git";

impl GitFixture {
    /// An empty upstream whose first branch will be `main`.
    ///
    /// # Errors
    /// When git is not installed, or the disk refuses.
    pub fn new() -> Result<Self> {
        let fixture = Self {
            root: TempDir::new().context("a temporary directory")?,
        };
        let root = fixture.root.path();
        git(root, ["init", "-q", "--bare", "-b", "main", UPSTREAM])?;
        git(root, ["init", "-q", "-b", "main", "work"])?;
        git(&fixture.work(), ["remote", "add", "origin", "../config.git"])?;
        Ok(fixture)
    }

    /// The directory that holds the upstream: what servers serve.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// The bare upstream.
    #[must_use]
    pub fn upstream(&self) -> PathBuf {
        self.root.path().join(UPSTREAM)
    }

    /// The upstream as a `file:` address.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("file://{}", self.upstream().display())
    }

    /// Writes a file into the work tree.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write_file(&self, path: &str, content: impl AsRef<[u8]>) -> Result<()> {
        let path = self.prepared(path)?;
        fs::write(path, content).context("writing a file")
    }

    /// Makes a symbolic link in the work tree.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn link(&self, path: &str, target: &str) -> Result<()> {
        let path = self.prepared(path)?;
        symlink(target, path).context("making a link")
    }

    /// Removes a file from the work tree.
    ///
    /// # Errors
    /// When it is not there.
    pub fn remove_file(&self, path: &str) -> Result<()> {
        fs::remove_file(self.work().join(path)).context("removing a file")
    }

    /// Commits everything in the work tree to the current branch, pushes it (by force) and tells
    /// the commit.
    ///
    /// # Errors
    /// When git refuses.
    pub fn commit(&self, message: &str) -> Result<String> {
        self.git(["add", "-A"])?;
        self.git(["commit", "-q", "--allow-empty", "-m", message])?;
        self.push()?;
        self.head()
    }

    /// Writes one file, commits and pushes it.
    ///
    /// # Errors
    /// When git or the disk refuses.
    pub fn commit_file(&self, path: &str, content: impl AsRef<[u8]>) -> Result<String> {
        self.write_file(path, content)?;
        self.commit(path)
    }

    /// Rewrites the last commit with what is in the work tree now and pushes by force.
    ///
    /// # Errors
    /// When git refuses.
    pub fn force_push(&self, message: &str) -> Result<String> {
        self.git(["add", "-A"])?;
        self.git(["commit", "-q", "--allow-empty", "--amend", "-m", message])?;
        self.push()?;
        self.head()
    }

    /// Takes the current branch back to `commit` and pushes by force.
    ///
    /// # Errors
    /// When git refuses.
    pub fn reset(&self, commit: &str) -> Result<()> {
        self.git(["reset", "-q", "--hard", commit])?;
        self.push()
    }

    /// Makes a branch where the work tree stands, pushes it and stays on it.
    ///
    /// # Errors
    /// When git refuses.
    pub fn branch(&self, name: &str) -> Result<()> {
        self.git(["checkout", "-q", "-b", name])?;
        self.push()
    }

    /// Goes to a branch that is there.
    ///
    /// # Errors
    /// When git refuses.
    pub fn checkout(&self, name: &str) -> Result<()> {
        self.git(["checkout", "-q", name]).map(drop)
    }

    /// Deletes a branch of the upstream.
    ///
    /// # Errors
    /// When git refuses.
    pub fn delete_branch(&self, name: &str) -> Result<()> {
        self.git(["push", "-q", "origin", "--delete", name])?;
        self.git(["branch", "-q", "-D", name]).map(drop)
    }

    /// Makes or moves a tag to where the work tree stands and pushes it.
    ///
    /// # Errors
    /// When git refuses.
    pub fn tag(&self, name: &str) -> Result<()> {
        self.git(["tag", "-f", name])?;
        self.push_tag(name)
    }

    /// Makes or moves an annotated tag and pushes it.
    ///
    /// # Errors
    /// When git refuses.
    pub fn annotated_tag(&self, name: &str) -> Result<()> {
        self.git(["tag", "-f", "-a", "-m", name, name])?;
        self.push_tag(name)
    }

    /// The commit that the work tree stands at.
    ///
    /// # Errors
    /// Before the first commit.
    pub fn head(&self) -> Result<String> {
        self.git(["rev-parse", "HEAD"])
    }

    /// Hides the upstream, as if it had been deleted.
    ///
    /// # Errors
    /// When it is hidden already.
    pub fn hide(&self) -> Result<()> {
        fs::rename(self.upstream(), self.root().join("hidden")).context("hiding the upstream")
    }

    /// Brings a hidden upstream back.
    ///
    /// # Errors
    /// When it is not hidden.
    pub fn unhide(&self) -> Result<()> {
        fs::rename(self.root().join("hidden"), self.upstream()).context("bringing the upstream back")
    }

    /// Runs git in the work tree and tells what it prints.
    ///
    /// # Errors
    /// With what git complains about.
    pub fn git<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Result<String> {
        git(&self.work(), arguments)
    }

    fn work(&self) -> PathBuf {
        self.root.path().join("work")
    }

    fn push(&self) -> Result<()> {
        self.git(["push", "-q", "--force", "origin", "HEAD"]).map(drop)
    }

    fn push_tag(&self, name: &str) -> Result<()> {
        let tag = format!("refs/tags/{name}");
        self.git(["push", "-q", "--force", "origin", &tag]).map(drop)
    }

    fn prepared(&self, path: &str) -> Result<PathBuf> {
        let path = self.work().join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).context("making a directory")?;
        }
        Ok(path)
    }
}

/// Runs git in `directory`, untouched by the settings of whoever runs the test.
fn git<'a>(directory: &Path, arguments: impl IntoIterator<Item = &'a str>) -> Result<String> {
    let arguments: Vec<&str> = arguments.into_iter().collect();
    let mut command = Command::new("git");
    quiet(&mut command).current_dir(directory).args(&arguments);
    let output = command.output().context("is git installed?")?;
    ensure!(
        output.status.success(),
        "git {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn quiet(command: &mut Command) -> &mut Command {
    let settings = [
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_AUTHOR_NAME", "Test"),
        ("GIT_AUTHOR_EMAIL", "test@example.com"),
        ("GIT_COMMITTER_NAME", "Test"),
        ("GIT_COMMITTER_EMAIL", "test@example.com"),
    ];
    command.envs(settings.map(|(name, value)| (OsStr::new(name), OsStr::new(value))))
}

/// Where git keeps the programs that are not on the path.
fn git_program(name: &str) -> Result<PathBuf> {
    let directory = git(Path::new("/"), ["--exec-path"])?;
    let program = Path::new(&directory).join(name);
    ensure!(program.exists(), "git is installed without {name}");
    Ok(program)
}
