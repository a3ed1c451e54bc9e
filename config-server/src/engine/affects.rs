//! Whom a change touches, by the naming and search-path rules.

use contract::Affects;

use super::diff::Change;
use super::resolve::Layout;

/// The scopes that may read one of the changed files. What the rules do not decide is everybody.
#[must_use]
pub fn affects(changes: &[Change], layout: &Layout) -> Affects {
    let _ = (changes, layout);
    Affects::All
}
