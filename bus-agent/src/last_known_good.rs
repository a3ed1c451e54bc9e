//! Remembers what was made live, for a start while the server is away.
//!
//! One file holds content, revision and checksum together, so that they cannot disagree. It holds
//! the values as they were served, so only its owner may read it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::atomic_file;
use crate::digest;
use crate::fetch::Answer;
use crate::follows::Follows;

const MARK: &str = "config-bus last known good 1 ";
const MODE: u32 = 0o600;

/// The place of one agent's memory.
#[derive(Debug, Clone)]
pub struct LastKnownGood {
    path: PathBuf,
}

/// What was remembered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Remembered {
    /// What was live.
    pub answer: Answer,
    /// When it was written.
    pub saved: SystemTime,
}

/// Why the memory could not be read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LastKnownGoodError {
    /// The file cannot be read.
    #[error("cannot read the last known good configuration at {}", .path.display())]
    Read {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The file is damaged, or of another version.
    #[error("the last known good configuration at {} is damaged and not used", .path.display())]
    Damaged {
        /// Where.
        path: PathBuf,
    },
    /// The file cannot be written.
    #[error("cannot write the last known good configuration at {}", .path.display())]
    Write {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
}

impl LastKnownGood {
    /// The memory of what `follows` names, in `directory`.
    #[must_use]
    pub fn within(directory: &Path, follows: &Follows) -> Self {
        let label = follows.label.as_ref().map_or("", |label| label.as_str());
        let names = [follows.application.as_str(), &follows.profile_names().join(","), label];
        let plain = names.map(|name| name.replace(|c: char| !c.is_alphanumeric() && !"-_.,".contains(c), "_"));
        // Two names that look alike as file names are told apart by the digest.
        let told_apart = digest::of(&names.map(str::as_bytes));
        Self {
            path: directory.join(format!("{}-{}.lkg", plain.join("-"), &told_apart[..8])),
        }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the memory; `None` when there is none yet.
    ///
    /// # Errors
    /// [`LastKnownGoodError`] when there is one that cannot be used.
    pub fn recall(&self) -> Result<Option<Remembered>, LastKnownGoodError> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) if cause.kind() == io::ErrorKind::InvalidData => return Err(self.damaged()),
            Err(cause) => {
                return Err(LastKnownGoodError::Read {
                    path: self.path.clone(),
                    cause,
                });
            }
        };
        unseal(&text).map(Some).ok_or_else(|| self.damaged())
    }

    /// Replaces the memory.
    ///
    /// # Errors
    /// [`LastKnownGoodError::Write`]; the old memory stays.
    pub fn remember(&self, remembered: &Remembered) -> Result<(), LastKnownGoodError> {
        let written = fs::create_dir_all(self.path.parent().unwrap_or(Path::new(".")))
            .and_then(|()| atomic_file::write(&self.path, seal(remembered).as_bytes(), MODE));
        written.map_err(|cause| LastKnownGoodError::Write {
            path: self.path.clone(),
            cause,
        })
    }

    fn damaged(&self) -> LastKnownGoodError {
        LastKnownGoodError::Damaged {
            path: self.path.clone(),
        }
    }
}

impl Remembered {
    /// How old it is at `now`.
    #[must_use]
    pub fn age(&self, now: SystemTime) -> Duration {
        now.duration_since(self.saved).unwrap_or_default()
    }
}

fn seal(remembered: &Remembered) -> String {
    let content = serde_json::to_string(remembered).expect("texts, numbers and scalars serialise");
    format!("{MARK}{}\n{content}", digest::of(&[content.as_bytes()]))
}

fn unseal(text: &str) -> Option<Remembered> {
    let (checksum, content) = text.strip_prefix(MARK)?.split_once('\n')?;
    if checksum != digest::of(&[content.as_bytes()]) {
        return None;
    }
    serde_json::from_str(content).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follows(application: &str) -> Follows {
        Follows::new(
            application.parse().expect("a name"),
            vec![],
            Some("a/b".parse().expect("a label")),
        )
    }

    fn remembered() -> Remembered {
        let mut answer = Answer::nothing("orders", &["dev"]);
        answer.revision.moved = Some("log-7".parse().expect("a move"));
        answer.revision.version = Some("a".repeat(40));
        Remembered {
            answer,
            saved: SystemTime::UNIX_EPOCH + Duration::from_secs(1_000),
        }
    }

    #[test]
    fn what_was_remembered_is_recalled_with_its_revision_and_age() {
        let directory = tempfile::tempdir().expect("a directory");
        let memory = LastKnownGood::within(&directory.path().join("made"), &follows("orders"));
        assert_eq!(memory.recall().expect("nothing yet"), None);
        memory.remember(&remembered()).expect("written");
        let back = memory.recall().expect("readable").expect("there");
        assert_eq!(back, remembered());
        let later = SystemTime::UNIX_EPOCH + Duration::from_secs(1_060);
        assert_eq!(back.age(later), Duration::from_secs(60));
    }

    #[test]
    fn every_cut_and_every_changed_byte_is_noticed() {
        let directory = tempfile::tempdir().expect("a directory");
        let memory = LastKnownGood::within(directory.path(), &follows("orders"));
        memory.remember(&remembered()).expect("written");
        let whole = fs::read(memory.path()).expect("read");
        for at in (0..whole.len()).step_by(7) {
            fs::write(memory.path(), &whole[..at]).expect("cut");
            assert!(
                matches!(memory.recall(), Err(LastKnownGoodError::Damaged { .. })),
                "cut at {at}"
            );
            let mut flipped = whole.clone();
            flipped[at] ^= 0x41;
            fs::write(memory.path(), flipped).expect("changed");
            assert!(
                matches!(memory.recall(), Err(LastKnownGoodError::Damaged { .. })),
                "changed at {at}"
            );
        }
    }

    #[test]
    fn names_that_look_alike_have_memories_of_their_own() {
        let directory = Path::new("/var/lib/agent");
        let one = LastKnownGood::within(directory, &follows("a:b"));
        let other = LastKnownGood::within(directory, &follows("a_b"));
        assert_ne!(one.path(), other.path());
        assert_eq!(one.path().parent(), Some(directory));
    }
}
