//! The least an answer must hold, as a client tells it (`X-Config-At-Least`).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::names::{CommitId, NameError};
use crate::notice::MoveId;

/// Most of them in one request.
const MOST: usize = 8;
const AGE: &str = ";age=";
const ANY: &str = "*";

/// What an answer must not be older than.
///
/// A bare commit asks for a state that contains it. With the head move that led to it, or an age,
/// the answer must come after that: a branch that was rolled back stands at a commit that every earlier
/// state contains as well. The age settles it between servers whose clocks and logs have nothing in
/// common: one that has looked at the repository since the client knew is past what it knew.
///
/// Printed `commit[@epoch-sequence][;age=milliseconds]`, with `*` for any commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AtLeast {
    /// The commit; `None` asks for nothing but a state that is newer than what the client knew.
    pub commit: Option<CommitId>,
    /// How the head came to stand there, by the log of some server.
    pub moved: Option<MoveId>,
    /// For how long the client has known; `None` counts as since just now.
    pub age: Option<Duration>,
}

impl AtLeast {
    /// Reads a header: commas between them.
    ///
    /// # Errors
    /// [`NameError`] when one of them has another form, or when there are more than eight.
    pub fn list(header: &str) -> Result<Vec<Self>, NameError> {
        let all: Vec<Self> = header
            .split(',')
            .map(|one| one.trim().parse())
            .collect::<Result<_, _>>()?;
        match all.len() {
            0..=MOST => Ok(all),
            _ => Err(shape()),
        }
    }

    /// Writes a header.
    #[must_use]
    pub fn join(all: &[Self]) -> String {
        let all: Vec<String> = all.iter().map(Self::to_string).collect();
        all.join(",")
    }
}

impl From<CommitId> for AtLeast {
    fn from(commit: CommitId) -> Self {
        Self {
            commit: Some(commit),
            moved: None,
            age: None,
        }
    }
}

impl fmt::Display for AtLeast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.commit {
            Some(commit) => write!(f, "{commit}")?,
            None => f.write_str(ANY)?,
        }
        if let Some(moved) = &self.moved {
            write!(f, "@{moved}")?;
        }
        match self.age {
            Some(age) => write!(f, "{AGE}{}", age.as_millis()),
            None => Ok(()),
        }
    }
}

impl FromStr for AtLeast {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (named, age) = match text.split_once(AGE) {
            Some((named, age)) => (named, Some(age.parse().map_err(|_| shape())?)),
            None => (text, None),
        };
        let (commit, moved) = match named.split_once('@') {
            Some((commit, moved)) => (commit, Some(moved.parse()?)),
            None => (named, None),
        };
        Ok(Self {
            commit: (commit != ANY).then(|| commit.parse()).transpose()?,
            moved,
            age: age.map(Duration::from_millis),
        })
    }
}

fn shape() -> NameError {
    NameError::Shape {
        what: "list of at most eight commits",
        shape: "`commit[@epoch-sequence][;age=milliseconds]`, commas between them",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(digit: char) -> CommitId {
        digit.to_string().repeat(40).parse().expect("a commit")
    }

    #[test]
    fn a_header_reads_back_as_what_was_written() {
        let all = [
            AtLeast::from(commit('a')),
            AtLeast {
                commit: Some(commit('b')),
                moved: Some("f00-7".parse().expect("a move")),
                age: Some(Duration::from_millis(1500)),
            },
            AtLeast {
                commit: None,
                moved: None,
                age: Some(Duration::ZERO),
            },
        ];
        let header = AtLeast::join(&all);
        let [a, b] = ['a', 'b'].map(commit);
        assert_eq!(header, format!("{a},{b}@f00-7;age=1500,*;age=0"));
        assert_eq!(AtLeast::list(&header), Ok(all.to_vec()));
        assert_eq!(AtLeast::list(&header.replace(',', " , ")), Ok(all.to_vec()));
    }

    #[test]
    fn anything_else_is_refused() {
        let a = "a".repeat(40);
        let nine = [a.as_str(); 9].join(",");
        let after_a = ["x", ",", "@", "@7", ";age=", ";age=-1", ";age=1@f00-7"].map(|tail| format!("{a}{tail}"));
        for header in ["", "x", &nine].into_iter().chain(after_a.iter().map(String::as_str)) {
            assert!(AtLeast::list(header).is_err(), "{header}");
        }
    }
}
