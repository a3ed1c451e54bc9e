//! The property sources of one answer: every layer through the gate, overrides on top, decrypted.

use bytes::Bytes;
use contract::CommitId;

use super::answer::Answer;
use super::error::ReadError;
use super::gate::{self, Passed};
use super::{Rules, overrides};
use crate::engine::query::Query;
use crate::engine::resolve::{Broken, Source};
use crate::store::{Layer, View};

/// What an application gets, before it is written in some form.
#[derive(Debug, Clone)]
pub(super) struct Sources {
    /// Highest precedence first.
    pub list: Vec<Source>,
    /// The version of what is served, held back or not.
    pub version: Option<String>,
    /// The newest commit that was held back.
    pub held: Option<CommitId>,
}

/// Gathers the sources of `query` from every layer of `view`.
///
/// # Errors
/// [`ReadError`] when a layer has no good state for the query, or nothing is there and that is not
/// accepted.
pub(super) fn gather(view: &View, query: &Query, rules: &Rules) -> Result<Sources, ReadError> {
    let mut sources = Sources {
        list: Vec::new(),
        version: view.version.clone(),
        held: None,
    };
    for layer in &view.layers {
        match gate::pass(layer, query, rules.gate, &rules.limits) {
            Ok(passed) => sources.add(layer, passed),
            Err(broken) if rules.fail_on_composite_error || view.layers.len() == 1 => {
                return Err(refusal(broken, layer, rules));
            }
            Err(broken) => tracing::warn!(%broken, "a member of the composite is left out of an answer"),
        }
    }
    if sources.list.is_empty() && !rules.accept_empty {
        return Err(ReadError::Empty(query.name.clone()));
    }
    rules.decrypt(&mut sources.list);
    sources.list.splice(0..0, overrides::source(&rules.overrides));
    Ok(sources)
}

fn refusal(broken: Broken, layer: &Layer, rules: &Rules) -> ReadError {
    if rules.try_master_branch && &*layer.label == "main" {
        ReadError::BrokenMain(broken)
    } else {
        ReadError::Broken(broken)
    }
}

impl Sources {
    /// `body` made of these sources.
    pub(super) fn answer(&self, body: Bytes, digest: &str) -> Answer {
        Answer::new(body, digest, self.version.as_deref(), self.held.as_ref())
    }

    fn add(&mut self, layer: &Layer, passed: Passed) {
        self.list.extend(passed.sources);
        if let Some(held) = passed.held {
            let served = passed.snapshot.commit.as_str();
            self.version = self
                .version
                .take()
                .map(|version| version.replace(held.as_str(), served));
            tracing::debug!(commit.id = %held, served, label = %layer.label, "a commit is held back from an application");
            self.held = Some(held);
        }
    }
}
