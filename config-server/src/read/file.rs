//! Plain-text and binary files (contract 1.7).

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;

use super::Rules;
use super::answer::Answer;
use super::digest;
use super::error::ReadError;
use super::form::{Charset, Content};
use super::sources::gather;
use crate::engine::document::Limits;
use crate::engine::placeholder::{Lookup, resolve_text};
use crate::engine::query::Query;
use crate::engine::resolve::{Found, find_file};
use crate::engine::snapshot::Snapshot;
use crate::engine::tree::{Blob, TreePath};
use crate::store::View;

/// A file of one layer.
struct Located {
    path: Arc<str>,
    blob: Arc<Blob>,
    snapshot: Arc<Snapshot>,
}

/// The file `path`, from the first layer that has it.
pub(super) fn file(
    view: &View,
    query: &Query,
    (path, content): (&TreePath, Content),
    rules: &Rules,
) -> Result<Answer, ReadError> {
    let located = locate(view, query, path, &rules.limits)?;
    let body = match content {
        Content::Bytes => located.blob.bytes.clone(),
        Content::Text {
            charset,
            resolve_placeholders,
        } => text(view, query, &located, (charset, resolve_placeholders), rules)?,
    };
    let digest = digest::of_bytes(&body);
    Ok(Answer {
        modified: Some(located.blob.modified.unwrap_or(located.snapshot.committed_at)),
        ..Answer::new(body, &digest, view.version.as_deref(), None)
    })
}

fn locate(view: &View, query: &Query, path: &TreePath, limits: &Limits) -> Result<Located, ReadError> {
    for layer in &view.layers {
        let snapshot = &layer.snapshot;
        let found = find_file(&snapshot.root, &layer.layout, &layer.label, query, path, limits);
        let Some(Found { path, blob }) = found.map_err(ReadError::Broken)? else {
            continue;
        };
        return match blob.withheld {
            None => Ok(Located {
                path,
                blob,
                snapshot: Arc::clone(snapshot),
            }),
            Some(size) => Err(ReadError::TooLarge { path, size }),
        };
    }
    Err(ReadError::NoFile)
}

/// The file as UTF-8. Only a text with placeholders needs the environment: one without is served
/// even while the configuration around it is broken.
fn text(
    view: &View,
    query: &Query,
    located: &Located,
    (charset, resolve_placeholders): (Charset, bool),
    rules: &Rules,
) -> Result<Bytes, ReadError> {
    let text = charset.decode(&located.blob.bytes);
    let text = rules.decrypt_file(&located.path, text)?;
    if !resolve_placeholders || !text.contains("${") {
        return Ok(text.into());
    }
    let sources = gather(view, query, &rules.for_files())?;
    let lookup = Lookup::new(&sources.list);
    let resolved = resolve_text(&text, &lookup, &rules.limits).map_err(ReadError::Placeholder)?;
    Ok(match resolved {
        Cow::Borrowed(_) => text.into(),
        Cow::Owned(resolved) => resolved.into(),
    })
}
