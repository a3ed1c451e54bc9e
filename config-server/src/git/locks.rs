//! Locks that a killed process left in a mirror. git never removes one by itself: every later write
//! to what it guards fails, for ever.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

/// A write holds its lock for milliseconds; one this old has nobody who will remove it.
const ABANDONED: Duration = Duration::from_secs(2);

/// Removes the abandoned locks of the repository at `path` and tells how many there were.
pub(super) fn remove_abandoned(path: &Path) -> io::Result<usize> {
    Ok(in_directory(path)? + below(&path.join("refs"))?)
}

fn below(directory: &Path) -> io::Result<usize> {
    let mut removed = in_directory(directory)?;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            removed += below(&entry.path())?;
        }
    }
    Ok(removed)
}

fn in_directory(directory: &Path) -> io::Result<usize> {
    let mut removed = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let is_lock = entry.path().extension().is_some_and(|extension| extension == "lock");
        let age = || {
            entry
                .metadata()?
                .modified()
                .map(|made| made.elapsed().unwrap_or_default())
        };
        if is_lock && entry.file_type()?.is_file() && age()? >= ABANDONED {
            fs::remove_file(entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn old_locks_go_and_everything_else_stays() {
        let repository = tempfile::tempdir().expect("a directory");
        fs::create_dir_all(repository.path().join("refs/heads/feature")).expect("directories");
        let old = SystemTime::now() - 2 * ABANDONED;
        for (name, made) in [
            ("HEAD.lock", old),
            ("refs/heads/feature/a.lock", old),
            ("refs/heads/main", old),
            ("packed-refs.lock", SystemTime::now()),
        ] {
            let file = File::create(repository.path().join(name)).expect("a file");
            file.set_modified(made).expect("its time");
        }
        assert_eq!(remove_abandoned(repository.path()).expect("readable"), 2);
        assert!(repository.path().join("refs/heads/main").exists());
        assert!(repository.path().join("packed-refs.lock").exists(), "somebody holds it");
    }
}
