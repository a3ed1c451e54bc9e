//! The programs of this workspace, and where they may listen.

use std::path::PathBuf;

use anyhow::{Context, Result};

/// The program `name`, built beside the one that runs, be that a test or not.
///
/// # Errors
/// When it is not built.
pub fn program(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe().context("this program's own place")?;
    own.ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
        .with_context(|| format!("{name} is not built: run `cargo build --workspace` first"))
}
