//! What an agent made live, and whether that kept the promises. Pure.

use std::fmt;

/// Where the branch stood once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stood {
    /// The commit.
    pub commit: String,
    /// What both files of it say; `None` when one of them cannot be read.
    pub generation: Option<u32>,
}

/// Something an agent made live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The commit it was named.
    pub commit: String,
    /// The values of the two files.
    pub first: String,
    /// See above.
    pub second: String,
}

/// A promise that was not kept, and how that showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// An agent applied what the branch had left behind before.
    Backward {
        /// What it ran.
        from: String,
        /// What it applied after.
        to: String,
    },
    /// Values of two commits were live together.
    Torn(Applied),
    /// A commit with a file that cannot be read was live.
    Broken(String),
    /// A commit was live at which the branch never stood.
    Unknown(String),
    /// An agent does not run what everybody should.
    LeftBehind(String),
    /// A commit was applied without anybody having been told, or answers are missing.
    Report(String),
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Backward { from, to } => write!(f, "never backward: {to} was applied after {from}"),
            Self::Torn(applied) => write!(
                f,
                "never torn: {} and {} were live together as {}",
                applied.first, applied.second, applied.commit
            ),
            Self::Broken(commit) => write!(f, "refuse bad: {commit} was live"),
            Self::Unknown(commit) => write!(f, "one commit: the branch never stood at {commit}"),
            Self::LeftBehind(how) => write!(f, "never lost: {how}"),
            Self::Report(how) => write!(f, "honest report: {how}"),
        }
    }
}

/// Holds what one agent made live against where the branch stood. An agent may leave commits out,
/// and may apply one again after a restart.
#[must_use]
pub fn judge(stood: &[Stood], history: &[Applied]) -> Vec<Violation> {
    let mut violations: Vec<Violation> = history.iter().filter_map(|applied| misfit(stood, applied)).collect();
    let mut at = 0;
    for (before, applied) in [None].into_iter().chain(history.iter().map(Some)).zip(history) {
        let later = stood[at..].iter().position(|stood| stood.commit == applied.commit);
        match later {
            Some(further) => at += further,
            None => violations.push(Violation::Backward {
                from: before.map_or_else(|| "nothing".to_owned(), |before| before.commit.clone()),
                to: applied.commit.clone(),
            }),
        }
    }
    violations
}

fn misfit(stood: &[Stood], applied: &Applied) -> Option<Violation> {
    let Some(known) = stood.iter().find(|stood| stood.commit == applied.commit) else {
        return Some(Violation::Unknown(applied.commit.clone()));
    };
    let Some(generation) = known.generation else {
        return Some(Violation::Broken(applied.commit.clone()));
    };
    let whole = generation.to_string();
    (applied.first != whole || applied.second != whole).then(|| Violation::Torn(applied.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stood(commits: &[(&str, Option<u32>)]) -> Vec<Stood> {
        let stood = |(commit, generation): &(&str, Option<u32>)| Stood {
            commit: (*commit).to_owned(),
            generation: *generation,
        };
        commits.iter().map(stood).collect()
    }

    fn applied(history: &[(&str, u32, u32)]) -> Vec<Applied> {
        let applied = |(commit, first, second): &(&str, u32, u32)| Applied {
            commit: (*commit).to_owned(),
            first: first.to_string(),
            second: second.to_string(),
        };
        history.iter().map(applied).collect()
    }

    #[test]
    fn what_goes_forward_is_no_violation() {
        // The last move takes the branch back: a move forward all the same.
        let branch = stood(&[("a", Some(1)), ("b", None), ("c", Some(3)), ("a", Some(1))]);
        for history in [
            vec![],
            applied(&[("a", 1, 1)]),
            applied(&[("a", 1, 1), ("a", 1, 1), ("c", 3, 3)]),
            applied(&[("c", 3, 3), ("a", 1, 1)]),
        ] {
            assert_eq!(judge(&branch, &history), [], "{history:?}");
        }
    }

    #[test]
    fn every_broken_promise_is_seen() {
        let branch = stood(&[("a", Some(1)), ("b", None), ("c", Some(3))]);
        let backward = Violation::Backward {
            from: "c".to_owned(),
            to: "a".to_owned(),
        };
        assert_eq!(judge(&branch, &applied(&[("c", 3, 3), ("a", 1, 1)])), [backward]);
        assert_eq!(
            judge(&branch, &applied(&[("c", 3, 1)])),
            [Violation::Torn(applied(&[("c", 3, 1)]).remove(0))]
        );
        assert_eq!(
            judge(&branch, &applied(&[("c", 1, 1)])),
            [Violation::Torn(applied(&[("c", 1, 1)]).remove(0))]
        );
        assert_eq!(
            judge(&branch, &applied(&[("b", 2, 2)])),
            [Violation::Broken("b".to_owned())]
        );
        let unknown = judge(&branch, &applied(&[("x", 1, 1)]));
        assert_eq!(unknown[0], Violation::Unknown("x".to_owned()));
    }
}
