//! The recorded repositories, made again from their `git fast-import` streams.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use config_server::engine::tree::{Directory, TreeBuilder};
use git2::{ObjectType, Repository, Tree, TreeWalkMode, TreeWalkResult};
use tempfile::TempDir;

const SYMBOLIC_LINK: i32 = 0o120_000;

/// One file of a commit.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    pub(crate) path: String,
    pub(crate) content: Vec<u8>,
    pub(crate) is_link: bool,
}

/// Where the recorded data stands.
pub(crate) fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/conformance")
}

/// Names of the recorded repositories.
pub(crate) fn names() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(data().join("repos"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "fi") {
            names.push(path.file_stem().context("a name")?.to_string_lossy().into_owned());
        }
    }
    Ok(names)
}

/// Makes the repository `name` at `path`, bare, its first branch being its head.
pub(crate) fn make(name: &str, path: &Path) -> Result<()> {
    let stream = data().join(format!("repos/{name}.fi"));
    let bytes = std::fs::read(&stream)?;
    let text = String::from_utf8_lossy(&bytes);
    let mut lines = text.lines();
    let branch = lines.find_map(|line| line.strip_prefix("commit refs/heads/"));
    git(path.parent().context("a place")?)
        .args(["init", "-q", "--bare", "-b", branch.context("a branch")?])
        .arg(path)
        .status()?;
    import(&stream, path)
}

/// Adds what `stream` holds to the repository at `path`.
pub(crate) fn import(stream: &Path, path: &Path) -> Result<()> {
    let import = ["fast-import", "--quiet", "--force"];
    let status = git(path).args(import).stdin(File::open(stream)?).status()?;
    ensure!(status.success(), "{} does not import", stream.display());
    Ok(())
}

/// The repository `name`, opened, in a directory of its own.
pub(crate) fn open(name: &str) -> Result<(TempDir, Repository)> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join(name);
    make(name, &path)?;
    let repository = Repository::open_bare(path)?;
    Ok((directory, repository))
}

/// Every file of the repository `name` at its head.
pub(crate) fn files_at_head(name: &str) -> Result<Vec<Recorded>> {
    let (_directory, repository) = open(name)?;
    let head = repository.head()?.peel_to_tree()?;
    files(&repository, &head)
}

/// What the engine reads, of `files`.
pub(crate) fn tree(files: Vec<Recorded>) -> Result<Arc<Directory>> {
    let mut builder = TreeBuilder::default();
    for file in files {
        if file.is_link {
            builder.link(&file.path, std::str::from_utf8(&file.content)?)?;
        } else {
            builder.file(&file.path, file.content, None)?;
        }
    }
    Ok(builder.build())
}

/// Every file of `tree`.
pub(crate) fn files(repository: &Repository, tree: &Tree<'_>) -> Result<Vec<Recorded>> {
    let mut files = Vec::new();
    tree.walk(TreeWalkMode::PreOrder, |directory, entry| {
        let content = match entry.kind() {
            Some(ObjectType::Blob) => repository.find_blob(entry.id()).map(|blob| blob.content().to_vec()),
            _ => return TreeWalkResult::Ok,
        };
        let Ok(content) = content else {
            return TreeWalkResult::Abort;
        };
        files.push(Recorded {
            path: format!("{directory}{}", entry.name().unwrap_or_default()),
            content,
            is_link: entry.filemode() == SYMBOLIC_LINK,
        });
        TreeWalkResult::Ok
    })?;
    Ok(files)
}

pub(crate) fn git(directory: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(directory);
    command
}
