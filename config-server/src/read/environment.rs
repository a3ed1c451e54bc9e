//! Environments and the merged formats.

use super::Rules;
use super::answer::Answer;
use super::digest;
use super::error::ReadError;
use super::overrides;
use super::sources::gather;
use crate::engine::query::Query;
use crate::engine::render::{self, Envelope, Merged, RenderError};
use crate::store::View;

/// The property sources as JSON (contract 1.3, 1.4).
pub(super) fn environment(view: &View, query: &Query, origins: bool, rules: &Rules) -> Result<Answer, ReadError> {
    let sources = gather(view, query, rules)?;
    let envelope = Envelope {
        query,
        version: sources.states.version.as_deref(),
        state: view.state,
        origins,
    };
    let body = render::environment(&envelope, &sources.list);
    let digest = digest::of_environment(query, origins, &sources.list);
    Ok(sources.states.answer(body, &digest))
}

/// The sources merged into one file (contract 1.5).
pub(super) fn merged(
    view: &View,
    query: &Query,
    (form, resolve_placeholders): (Merged, bool),
    rules: &Rules,
) -> Result<Answer, ReadError> {
    let mut sources = gather(view, query, rules)?;
    if form == Merged::Yaml && resolve_placeholders {
        overrides::resolve(&mut sources.list, &rules.limits).map_err(RenderError::from)?;
    }
    let body = render::merged(
        form,
        &sources.list,
        resolve_placeholders,
        rules.strip_document,
        &rules.limits,
    )?;
    let digest = digest::of_bytes(&body);
    Ok(sources.states.answer(body, &digest))
}
