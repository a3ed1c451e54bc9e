//! What is known about reaching one remote. Pure: the time comes in as an argument.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::Instant;

use crate::git::GitError;
use crate::store::upstream::Contacted;

/// Two looks that nobody ordered are at least this far apart.
const PAUSE: Duration = Duration::from_secs(1);

/// Labels remembered as missing; more are looked for again.
const MOST_MISSING: usize = 1024;

/// How the looks went.
#[derive(Debug)]
pub(super) struct Contact {
    succeeded: Instant,
    looked: Option<Instant>,
    error: Option<GitError>,
    /// When the last look began all of whose finds are served.
    seen: Option<Instant>,
    /// Labels that the last look did not bring.
    missing: HashSet<String>,
}

impl Contact {
    /// `age`: how long ago the mirror on disk was fetched, when there is one.
    pub(super) fn new(now: Instant, age: Option<Duration>) -> Self {
        let succeeded = age.and_then(|age| now.checked_sub(age)).unwrap_or(now);
        Self {
            succeeded,
            looked: None,
            error: None,
            seen: None,
            missing: HashSet::new(),
        }
    }

    pub(super) fn succeeded(&mut self, now: Instant) {
        self.succeeded = now;
        self.looked = Some(now);
        self.error = None;
        self.missing.clear();
    }

    /// What a look found that began at `began` is served.
    pub(super) fn serves(&mut self, began: Instant) {
        self.seen = Some(began);
    }

    pub(super) fn failed(&mut self, now: Instant, error: GitError) {
        self.looked = Some(now);
        self.error = Some(error);
    }

    /// The label is not there although the remote was asked.
    pub(super) fn lacks(&mut self, label: &str) {
        if self.missing.len() < MOST_MISSING {
            self.missing.insert(label.to_owned());
        }
    }

    /// Whether looking for `label` would bring anything: it was not looked for since the last fetch,
    /// and that was not a moment ago.
    pub(super) fn worth_a_look(&self, now: Instant, label: &str) -> bool {
        self.rested(now) && !self.missing.contains(label)
    }

    /// Whether the last look is long enough ago for one that nobody ordered.
    pub(super) fn rested(&self, now: Instant) -> bool {
        self.rested_at().is_none_or(|at| now >= at)
    }

    /// When it will be; `None` when there was no look.
    pub(super) fn rested_at(&self) -> Option<Instant> {
        self.looked.map(|looked| looked + PAUSE)
    }

    pub(super) fn error(&self) -> Option<&GitError> {
        self.error.as_ref()
    }

    pub(super) fn told(&self, now: Instant) -> Contacted {
        Contacted {
            age: now.duration_since(self.succeeded),
            error: self.error.as_ref().map(ToString::to_string),
            seen: self.seen,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::Failure;

    fn error() -> GitError {
        GitError {
            remote: "git://h/r".into(),
            failure: Failure::Protocol,
        }
    }

    #[test]
    fn a_label_is_looked_for_once_per_fetch_and_not_in_bursts() {
        let start = Instant::now();
        let later = |seconds| start + Duration::from_secs(seconds);
        let mut contact = Contact::new(start, None);
        assert!(contact.worth_a_look(start, "x"));
        contact.succeeded(later(10));
        assert!(
            !contact.worth_a_look(later(10), "x"),
            "the remote was asked a moment ago"
        );
        assert!(contact.worth_a_look(later(12), "x"));
        contact.lacks("x");
        assert!(!contact.worth_a_look(later(20), "x"));
        assert!(contact.worth_a_look(later(20), "y"));
        contact.failed(later(30), error());
        assert!(!contact.worth_a_look(later(40), "x"));
        contact.succeeded(later(50));
        assert!(contact.worth_a_look(later(60), "x"));
    }

    #[test]
    fn what_is_served_is_stale_only_while_the_remote_fails() {
        let start = Instant::now() + Duration::from_secs(100);
        let later = |seconds| start + Duration::from_secs(seconds);
        let mut contact = Contact::new(start, Some(Duration::from_secs(60)));
        assert_eq!(contact.told(start).stale(), None);
        contact.failed(later(5), error());
        assert_eq!(contact.told(later(10)).stale(), Some(Duration::from_secs(70)));
        contact.succeeded(later(20));
        assert_eq!(contact.told(later(25)).stale(), None);
        assert_eq!(contact.told(later(25)).age, Duration::from_secs(5));
    }
}
