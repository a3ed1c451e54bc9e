//! The property sources of one answer: every layer through the gate, overrides on top, decrypted.

use super::error::ReadError;
use super::gate;
use super::states::States;
use super::{Rules, overrides};
use crate::engine::query::Query;
use crate::engine::resolve::{Broken, Source};
use crate::store::{Layer, View};

/// What an application gets, before it is written in some form.
#[derive(Debug, Clone)]
pub(super) struct Sources {
    /// Highest precedence first.
    pub list: Vec<Source>,
    /// What they were read from.
    pub states: States,
}

/// Gathers the sources of `query` from every layer of `view`.
///
/// # Errors
/// [`ReadError`] when a layer has no good state for the query, or nothing is there and that is not
/// accepted.
pub(super) fn gather(view: &View, query: &Query, rules: &Rules) -> Result<Sources, ReadError> {
    let mut sources = Sources {
        list: Vec::new(),
        states: States::of(view),
    };
    for layer in &view.layers {
        match gate::pass(layer, query, rules.gate, &rules.limits) {
            Ok(passed) => {
                sources.list.extend(passed.sources);
                sources.states.add(layer, passed.snapshot);
            }
            Err(broken) if rules.fail_on_composite_error || view.layers.len() == 1 => {
                return Err(refusal(broken, layer, rules));
            }
            Err(broken) => {
                tracing::warn!(%broken, "a member of the composite is left out of an answer");
                sources.states.add(layer, layer.snapshot.clone());
            }
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
