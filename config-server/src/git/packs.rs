//! The packs of a mirror: every fetch adds one, and now and then they become one.
//!
//! That reads every object of the repository: too much to do in vain at every look. [`Packing`] says
//! when it is done, and when again after it failed (pure).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use git2::Repository;
use tokio::time::Instant;

/// Past this many they become one.
const MOST_PACKS: usize = 64;
/// After the first failure; it doubles with each further one in a row.
const FIRST_PAUSE: Duration = Duration::from_secs(60);
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// How it went so far.
#[derive(Debug, Default)]
pub(super) struct Packing {
    /// In a row.
    failures: u32,
    not_before: Option<Instant>,
}

impl Packing {
    /// Whether so many packs are to become one at `now`.
    pub(super) fn is_due(&self, packs: usize, now: Instant) -> bool {
        packs > MOST_PACKS && self.not_before.is_none_or(|time| time <= now)
    }

    /// It failed at `now`; whether that is news.
    pub(super) fn failed(&mut self, now: Instant) -> bool {
        self.failures = self.failures.saturating_add(1);
        self.not_before = Some(now + pause(self.failures));
        self.failures == 1
    }

    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }
}

fn pause(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1);
    FIRST_PAUSE
        .saturating_mul(2_u32.saturating_pow(doublings))
        .min(LONGEST_PAUSE)
}

/// The packs in `directory`.
pub(super) fn list(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut packs = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "pack") {
            packs.push(path);
        }
    }
    Ok(packs)
}

/// Writes everything that is reachable into one pack more; the answer is part of its name.
pub(super) fn write_one(repository: &Repository, directory: &Path) -> Result<String, git2::Error> {
    let mut walk = repository.revwalk()?;
    walk.push_glob("refs/*")?;
    let mut builder = repository.packbuilder()?;
    builder.insert_walk(&mut walk)?;
    for reference in repository.references()? {
        // The objects of annotated tags are outside the walk.
        if let Some(target) = reference?.target() {
            builder.insert_object(target, None)?;
        }
    }
    builder.write(directory, 0)?;
    Ok(builder.name()?.unwrap_or_default().to_owned())
}

/// Removes a pack and its index.
pub(super) fn remove(pack: &Path) -> io::Result<()> {
    ["idx", "pack"]
        .iter()
        .try_for_each(|extension| fs::remove_file(pack.with_extension(extension)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_with_each_failure_up_to_an_hour() {
        let minutes = [
            (1, 1),
            (2, 2),
            (3, 4),
            (4, 8),
            (6, 32),
            (7, 60),
            (8, 60),
            (u32::MAX, 60),
        ];
        for (failures, minutes) in minutes {
            assert_eq!(pause(failures), Duration::from_secs(minutes * 60), "{failures}");
        }
    }

    #[test]
    fn what_failed_is_tried_again_after_its_pause_and_is_news_once() {
        let start = Instant::now();
        let at = |minutes: u64| start + Duration::from_secs(minutes * 60);
        let mut packing = Packing::default();
        assert!(!packing.is_due(64, at(0)) && packing.is_due(65, at(0)));
        // When it fails, whether that is news, and until when it is not tried again.
        for (minute, news, again) in [(0, true, 1), (1, false, 3), (3, false, 7), (10, false, 18)] {
            assert!(packing.is_due(65, at(minute)), "at {minute}");
            assert_eq!(packing.failed(at(minute)), news, "at {minute}");
            assert!(
                !packing.is_due(1_000, at(again) - Duration::from_millis(1)),
                "at {minute}"
            );
            assert!(
                packing.is_due(65, at(again)) && !packing.is_due(64, at(again)),
                "at {minute}"
            );
        }
        packing.succeeded();
        assert!(packing.is_due(65, at(18)) && packing.failed(at(18)));
    }
}
