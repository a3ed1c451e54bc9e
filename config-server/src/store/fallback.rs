//! Which earlier states stand in for a commit that holds broken files (promise 7).

use std::collections::HashSet;
use std::sync::Arc;

use crate::git::Loaded;

/// Earlier states kept for one head.
const MOST: usize = 32;

/// Chooses among `earlier` (newest first): each state that is good for some application no newer one
/// is good for, up to the first in which nothing is broken. An application is known here by the files
/// it reads, and those may be any; a file that is not there is whole.
pub(super) fn choose(current: &Loaded, earlier: impl IntoIterator<Item = Loaded>) -> Vec<Loaded> {
    let mut chosen: Vec<Loaded> = Vec::new();
    for state in earlier {
        let whole = chosen.last().unwrap_or(current).broken.is_empty();
        if whole || chosen.len() == MOST {
            break;
        }
        let broken: HashSet<&Arc<str>> = state.broken.iter().collect();
        let stands_in = |newer: &Loaded| newer.broken.iter().all(|path| broken.contains(path));
        if !std::iter::once(current).chain(&chosen).any(stands_in) {
            chosen.push(state);
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::snapshot::Snapshot;
    use crate::engine::tree::{ContentId, Directory};

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
        let chosen: String = choose(&state('0', current), earlier)
            .iter()
            .map(|state| &state.snapshot.commit.as_str()[..1])
            .collect();
        assert_eq!(chosen, expected);
    }

    #[test]
    fn a_whole_commit_needs_no_earlier_one() {
        check(&[], &[('1', &["a"])], "");
    }

    #[test]
    fn states_are_kept_up_to_the_first_that_is_whole() {
        check(&["a"], &[('1', &[]), ('2', &[])], "1");
        check(&["a"], &[('1', &["a"]), ('2', &["a"]), ('3', &[])], "3");
        check(
            &["a", "b"],
            &[('1', &["a"]), ('2', &["b"]), ('3', &["a"]), ('4', &[])],
            "124",
        );
        check(&["a"], &[('1', &["a"])], "");
    }

    #[test]
    fn a_state_is_kept_for_those_who_read_what_is_broken_now_and_what_was_broken_then() {
        check(&["a"], &[('1', &["b"]), ('2', &[])], "12");
        check(&["a", "b"], &[('1', &["a"]), ('2', &["b"]), ('3', &[])], "123");
        check(
            &["a"],
            &[('1', &["b"]), ('2', &["b", "c"]), ('3', &["c"]), ('4', &[])],
            "134",
        );
    }
}
