//! A disk of one's own that can be full.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

/// What takes the room.
const BALLAST: &str = "ballast";

/// A small file system in memory; mounting one takes root.
#[derive(Debug)]
pub struct SmallDisk {
    mounted: TempDir,
}

impl SmallDisk {
    /// Mounts one of `kilobytes`.
    ///
    /// # Errors
    /// When this process may not mount.
    pub fn mount(kilobytes: u32) -> Result<Self> {
        let mounted = TempDir::new().context("a temporary directory")?;
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={kilobytes}k"), "config-bus"])
            .arg(mounted.path())
            .status()
            .context("mount cannot be started")?;
        ensure!(status.success(), "a small disk cannot be mounted: that takes root");
        Ok(Self { mounted })
    }

    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.mounted.path()
    }

    /// Takes all the room that is left.
    ///
    /// # Errors
    /// When not even an empty file can be made.
    pub fn fill(&self) -> Result<()> {
        let mut ballast = fs::File::create(self.ballast()).context("the ballast")?;
        let page = [0; 4096];
        while ballast.write_all(&page).is_ok() {}
        Ok(())
    }

    /// Gives the room back.
    ///
    /// # Errors
    /// When the disk is not full.
    pub fn free(&self) -> Result<()> {
        fs::remove_file(self.ballast()).context("the ballast")
    }

    fn ballast(&self) -> PathBuf {
        self.mounted.path().join(BALLAST)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a process that is being killed may hold a file of it for a moment.
        let _ = Command::new("umount").arg("-l").arg(self.mounted.path()).status();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_takes_nothing_until_it_is_freed() {
        let disk = SmallDisk::mount(64).expect("root");
        disk.fill().expect("filled");
        assert!(fs::write(disk.path().join("more"), [1; 8192]).is_err());
        disk.free().expect("freed");
        assert!(fs::write(disk.path().join("more"), [1; 8192]).is_ok());
    }
}
