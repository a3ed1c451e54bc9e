//! Whether a head is where a client wants it, or past that: `X-Config-At-Least`.
//!
//! Within the log of this server the order of moves is the order of history. Of a move that another
//! server wrote down nobody here can tell the place: the commit may be one that this head passed
//! long ago and that the branch has gone back to since. Only a look at the remote settles it that
//! began after the client knew: what it finds is newer than all that anybody had seen before.

use contract::{AtLeast, CommitId, MoveId};
use tokio::time::Instant;

use super::source::{Choice, Picked};

/// What it takes for a head to be past a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Nothing: it is.
    Sure,
    /// The commit is in the history of what is served; or the head was there once, and a look since
    /// the client knew found it elsewhere.
    Held,
    /// Such a look, in either case.
    Looked,
}

impl Reach {
    /// For a head that stands at `commit` since `moved`.
    #[must_use]
    pub fn of(commit: &CommitId, moved: Option<&MoveId>, bound: &AtLeast) -> Self {
        if bound.commit.as_ref() == Some(commit) {
            return Self::Sure;
        }
        match (&bound.moved, moved) {
            (None, _) if bound.age.is_none() && bound.commit.is_some() => Self::Held,
            (Some(bound), Some(moved)) if bound.epoch == moved.epoch && bound.sequence <= moved.sequence => Self::Sure,
            _ => Self::Looked,
        }
    }
}

/// The first of `bounds`, told at `asked`, that none of the picked heads is past.
pub(super) async fn missing<'b>(picked: &Picked, bounds: &'b [AtLeast], asked: Instant) -> Option<&'b AtLeast> {
    for bound in bounds {
        if !is_past(picked, bound, asked).await {
            return Some(bound);
        }
    }
    None
}

async fn is_past(picked: &Picked, bound: &AtLeast, asked: Instant) -> bool {
    for choice in picked.choices() {
        if is_past_with(choice, bound, asked).await {
            return true;
        }
    }
    false
}

async fn is_past_with(choice: &Choice, bound: &AtLeast, asked: Instant) -> bool {
    let Choice { head, upstream, .. } = choice;
    let known = asked.checked_sub(bound.age.unwrap_or_default());
    let looked = || {
        upstream
            .contact()
            .seen
            .is_some_and(|seen| known.is_none_or(|known| seen >= known))
    };
    match Reach::of(head.commit(), head.moved.as_ref(), bound) {
        Reach::Sure => true,
        Reach::Held => holds(choice, bound).await || looked() && passed(choice, bound).await,
        Reach::Looked => looked() && (holds(choice, bound).await || passed(choice, bound).await),
    }
}

async fn holds(Choice { head, upstream, .. }: &Choice, bound: &AtLeast) -> bool {
    match &bound.commit {
        Some(commit) => upstream.holds(head, commit).await,
        None => true,
    }
}

async fn passed(Choice { head, upstream, .. }: &Choice, bound: &AtLeast) -> bool {
    match &bound.commit {
        Some(commit) => upstream.passed(head, commit).await,
        None => true,
    }
}

#[cfg(test)]
mod tests;
