//! Writes a file so that a reader, and a crash, see the old or the new content and nothing else.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Replaces `path` with `content`, readable by `mode` (Unix permission bits). The content is on the
/// disk when this returns.
///
/// # Errors
/// Whatever the filesystem says; `path` is untouched then.
pub fn write(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let beside = beside(path)?;
    let written = fill(&beside, content, mode).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // What is left of a failed attempt; the error is already known.
        let _ = fs::remove_file(&beside);
    }
    written?;
    sync_directory(path)
}

/// A name in the same directory, so that renaming is atomic, and of this process, so that two do
/// not write into one.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"))?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}.tmp", std::process::id()));
    Ok(path.with_file_name(hidden))
}

fn fill(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let mut file = open(path, mode)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(unix)]
fn open(path: &Path, mode: u32) -> io::Result<File> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};

    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(path)?;
    // The mode of `open` is narrowed by the umask and ignored for a file that is there.
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    Ok(file)
}

#[cfg(not(unix))]
fn open(path: &Path, _mode: u32) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).open(path)
}

/// The rename itself survives a crash only when the directory is on the disk.
fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    if cfg!(unix) {
        File::open(directory.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_with_its_mode_and_nothing_stays_beside() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("out.yml");
        write(&path, b"one", 0o600).expect("written");
        write(&path, b"two", 0o600).expect("written");
        assert_eq!(fs::read(&path).expect("read"), b"two");
        assert_eq!(fs::read_dir(directory.path()).expect("listed").count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&path).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_failed_write_leaves_the_old_content() {
        let directory = tempfile::tempdir().expect("a directory");
        let taken = directory.path().join("taken");
        fs::create_dir(&taken).expect("a directory");
        fs::write(taken.join("inside"), "x").expect("a file");
        assert!(write(&taken, b"new", 0o600).is_err());
        assert_eq!(fs::read_dir(directory.path()).expect("listed").count(), 1);
    }
}
