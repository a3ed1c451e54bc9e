//! Plain-text and binary files (contract 1.7).

use std::sync::Arc;

use bytes::Bytes;

use super::Rules;
use super::answer::Answer;
use super::digest;
use super::error::ReadError;
use super::form::{Charset, Content};
use super::sources::gather;
use super::states::States;
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
///
/// A file that is taken as it is needs no environment: it is served from the newest commit even
/// while the configuration around it is broken. With placeholders it comes from the very commits
/// that fill them, so an application that is held back never sees a new text with old values.
pub(super) fn file(
    view: &View,
    query: &Query,
    (path, content): (&TreePath, Content),
    rules: &Rules,
) -> Result<Answer, ReadError> {
    let states = States::unread(view, rules.gate);
    let located = locate(view, &states, query, path, rules)?;
    let Content::Text {
        charset,
        resolve_placeholders,
    } = content
    else {
        return Ok(located.answer(located.blob.bytes.clone(), &states));
    };
    let text = located.text(charset, rules)?;
    if !resolve_placeholders || !text.contains("${") {
        return Ok(located.answer(text.into(), &states));
    }
    let sources = gather(view, query, &rules.for_files())?;
    let located = locate(view, &sources.states, query, path, rules)?;
    let text = located.text(charset, rules)?;
    let resolved = resolve_text(&text, &Lookup::new(&sources.list), &rules.limits).map_err(ReadError::Placeholder)?;
    Ok(located.answer(resolved.into_owned().into(), &sources.states))
}

fn locate(view: &View, states: &States, query: &Query, path: &TreePath, rules: &Rules) -> Result<Located, ReadError> {
    for (layer, snapshot) in view.layers.iter().zip(&states.snapshots) {
        let found = find_file(&snapshot.root, &layer.layout, &layer.label, query, path, &rules.limits);
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

impl Located {
    /// The file as UTF-8.
    fn text(&self, charset: Charset, rules: &Rules) -> Result<String, ReadError> {
        let text = charset.decode(&self.blob.bytes);
        Ok(rules.decrypt_file(&self.path, text)?)
    }

    fn answer(&self, body: Bytes, states: &States) -> Answer {
        let digest = digest::of_bytes(&body);
        Answer {
            modified: Some(self.blob.modified.unwrap_or(self.snapshot.committed_at)),
            ..states.answer(body, &digest)
        }
    }
}
