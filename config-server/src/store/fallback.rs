//! Which earlier states stand in for a commit that holds broken files (promise 7).

use std::collections::HashSet;
use std::sync::Arc;

use crate::git::Loaded;

/// Earlier states kept for one head.
const MOST: usize = 32;

/// Chooses among `earlier` (newest first): each state that is the newest in which some broken file
/// of `current` is whole, up to the first in which all of them are. A file that is not there is
/// whole. Nothing is chosen while nothing is broken.
pub(super) fn choose(current: &Loaded, earlier: impl IntoIterator<Item = Loaded>) -> Vec<Loaded> {
    let mut unmet: HashSet<&Arc<str>> = current.broken.iter().collect();
    let mut chosen: Vec<Loaded> = Vec::new();
    if unmet.is_empty() {
        return chosen;
    }
    for state in earlier {
        if chosen.len() == MOST {
            break;
        }
        let before = unmet.len();
        unmet.retain(|path| state.broken.contains(path));
        let whole = !current.broken.iter().any(|path| state.broken.contains(path));
        if whole || unmet.len() < before {
            chosen.push(state);
        }
        if whole {
            break;
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
    fn the_newest_whole_state_of_each_broken_file_is_kept_up_to_one_where_all_are_whole() {
        check(&["a"], &[('1', &[]), ('2', &[])], "1");
        check(&["a"], &[('1', &["a"]), ('2', &["a"]), ('3', &["b"]), ('4', &[])], "3");
        check(
            &["a", "b"],
            &[('1', &["a"]), ('2', &["b"]), ('3', &["a"]), ('4', &[])],
            "124",
        );
        check(&["a"], &[('1', &["a"])], "");
    }
}
