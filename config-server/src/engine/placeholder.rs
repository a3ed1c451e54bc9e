//! `${key:default}` substitution (contract 1.6).

use std::borrow::Cow;

use thiserror::Error;

use super::document::Limits;
use super::resolve::Source;

/// What placeholders may refer to: the keys of one answer, the highest source winning. Built once
/// per snapshot and query.
#[derive(Debug, Clone)]
pub struct Lookup;

/// Why placeholders cannot be resolved.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PlaceholderError {
    /// A placeholder that leads back to itself.
    #[error("the placeholder `{0}` leads back to itself")]
    Cycle(String),
    /// The result would pass a limit, by its setting's name.
    #[error("resolving placeholders passes the limit `{0}`")]
    Limit(&'static str),
}

impl Lookup {
    /// `sources` are highest precedence first.
    #[must_use]
    pub fn new(sources: &[Source]) -> Self {
        let _ = sources;
        Self
    }
}

/// Resolves the placeholders of a whole text: a plain file (contract 1.7) or the `.properties` form.
///
/// # Errors
/// [`PlaceholderError`] on a cycle, or past a limit.
pub fn resolve_text<'t>(text: &'t str, lookup: &Lookup, limits: &Limits) -> Result<Cow<'t, str>, PlaceholderError> {
    let _ = (lookup, limits);
    Ok(Cow::Borrowed(text))
}
