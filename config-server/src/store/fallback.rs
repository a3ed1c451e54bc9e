//! Which earlier states may be served in the place of a commit (promise 7).
//!
//! Which files do not parse is known when the head moves: a state is kept for those who read what is
//! broken now and was whole then. What is wrong with how files refer to each other only shows when an
//! application asks, so the last few states are kept in any case.

use std::collections::HashSet;
use std::sync::Arc;

use crate::git::Loaded;

/// Earlier states kept for one head.
const MOST: usize = 32;

/// The newest of them, which are kept whatever they hold. They cost what changed between them.
const RECENT: usize = 8;

/// Chooses among the states before one, which are offered newest first.
#[derive(Debug)]
pub(super) struct Fallbacks {
    current: Loaded,
    kept: Vec<Loaded>,
}

impl Fallbacks {
    pub(super) fn of(current: &Loaded) -> Self {
        Self {
            current: current.clone(),
            kept: Vec::new(),
        }
    }

    /// The choice among `earlier`.
    pub(super) fn among(current: &Loaded, earlier: impl IntoIterator<Item = Loaded>) -> Arc<[Loaded]> {
        let mut fallbacks = Self::of(current);
        for state in earlier {
            fallbacks.offer(state);
        }
        fallbacks.into_states().into()
    }

    /// Whether no older state will be kept.
    pub(super) fn is_complete(&self) -> bool {
        let is_whole = self.newer().any(|state| state.broken.is_empty());
        self.kept.len() >= if is_whole { RECENT } else { MOST }
    }

    /// Keeps `state` when it is among the newest, or good for some application that no newer one is
    /// good for. An application is known here by the files it reads, and those may be any; a file that
    /// is not there is whole.
    pub(super) fn offer(&mut self, state: Loaded) {
        // A head may come back to where it stood.
        let is_known = self.newer().any(|newer| newer.snapshot.commit == state.snapshot.commit);
        if self.is_complete() || is_known {
            return;
        }
        let broken: HashSet<&Arc<str>> = state.broken.iter().collect();
        let stands_in = |newer: &Loaded| newer.broken.iter().all(|path| broken.contains(path));
        if self.kept.len() < RECENT || !self.newer().any(stands_in) {
            self.kept.push(state);
        }
    }

    pub(super) fn into_states(self) -> Vec<Loaded> {
        self.kept
    }

    fn newer(&self) -> impl Iterator<Item = &Loaded> {
        std::iter::once(&self.current).chain(&self.kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::snapshot::Snapshot;
    use crate::engine::tree::{ContentId, Directory};
    use crate::store::heads::Head;

    fn state(digit: char, broken: &[&str]) -> Loaded {
        let root = Directory {
            id: ContentId::new("root"),
            entries: Default::default(),
        };
        Loaded {
            snapshot: Arc::new(Snapshot {
                commit: digit.to_string().repeat(40).parse().expect("a commit"),
                committed_at: 0,
                root: Arc::new(root),
            }),
            broken: broken.iter().map(|path| Arc::from(*path)).collect(),
        }
    }

    fn check(current: &[&str], earlier: &[(char, &[&str])], expected: &str) {
        let earlier = earlier.iter().map(|(digit, broken)| state(*digit, broken));
        let kept: String = Fallbacks::among(&state('0', current), earlier)
            .iter()
            .map(|state| &state.snapshot.commit.as_str()[..1])
            .collect();
        assert_eq!(kept, expected);
    }

    /// So many states in which all of `broken` is broken.
    fn recent(broken: &'static [&str]) -> Vec<(char, &'static [&'static str])> {
        ('1'..='8').map(|digit| (digit, broken)).collect()
    }

    #[test]
    fn the_newest_states_are_kept_whatever_they_hold_and_each_once() {
        check(&[], &[('1', &["a"]), ('2', &[])], "12");
        check(&[], &[('1', &[]), ('0', &[]), ('1', &[]), ('2', &[])], "12");
        let mut many = recent(&[]);
        many.push(('9', &[]));
        check(&[], &many, "12345678");
    }

    #[test]
    fn older_ones_are_kept_for_those_who_read_what_is_broken_in_newer_ones_up_to_a_whole_one() {
        let older: [(char, &[&str]); 4] = [('9', &["a", "b"]), ('a', &["b"]), ('b', &["a", "b"]), ('c', &["a"])];
        let mut states = recent(&["a", "b"]);
        states.extend(older);
        states.extend([('d', &[][..]), ('e', &[][..])]);
        check(&["a", "b"], &states, "12345678acd");
        check(&["b"], &states, "12345678cd");
    }

    #[test]
    fn the_soundest_state_is_the_newest_of_those_with_the_fewest_broken_files() {
        let check = |current: &[&str], earlier: &[(char, &[&str])], expected: &str| {
            let earlier = earlier.iter().map(|(digit, broken)| state(*digit, broken)).collect();
            let head = Head::new("main".parse().expect("a label"), state('0', current), earlier);
            assert_eq!(&head.soundest().commit.as_str()[..1], expected);
        };
        check(&[], &[('1', &[])], "0");
        check(&["a"], &[('1', &["b"]), ('2', &[]), ('3', &[])], "2");
        check(&["a", "never"], &[('1', &["never"]), ('2', &["never"])], "1");
        check(&["never"], &[('1', &["never"])], "0");
    }
}
