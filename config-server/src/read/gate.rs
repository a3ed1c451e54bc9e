//! Promise 7: a commit that cannot be read is held back from those who would read it.

use std::sync::Arc;

use contract::CommitId;

use crate::engine::document::Limits;
use crate::engine::query::Query;
use crate::engine::resolve::{Broken, Source, resolve};
use crate::engine::snapshot::Snapshot;
use crate::settings::serving::Gate;
use crate::store::Layer;

/// What a layer answers a query with.
#[derive(Debug, Clone)]
pub struct Passed {
    /// Highest precedence first.
    pub sources: Vec<Source>,
    /// The state that was read: the layer's own, or an earlier one that is good for the query.
    pub snapshot: Arc<Snapshot>,
    /// The layer's commit, when it was held back.
    pub held: Option<CommitId>,
}

/// Resolves `query` in the newest state of `layer` that the gate lets through.
///
/// # Errors
/// [`Broken`] of the newest state, when no earlier one is good for the query either.
pub fn pass(layer: &Layer, query: &Query, gate: Gate, limits: &Limits) -> Result<Passed, Broken> {
    let newest = attempt(layer, &layer.snapshot, query, limits);
    let candidates = match gate {
        Gate::Off => &[],
        Gate::Application if newest.is_ok() => &[],
        Gate::Application => &*layer.fallbacks,
        // The oldest one is whole: everybody gets the same.
        Gate::Commit => layer.fallbacks.last().map(std::slice::from_ref).unwrap_or_default(),
    };
    let earlier = candidates
        .iter()
        .find_map(|state| attempt(layer, state, query, limits).ok());
    match earlier {
        Some(passed) => Ok(Passed {
            held: Some(layer.snapshot.commit.clone()),
            ..passed
        }),
        None => newest,
    }
}

fn attempt(layer: &Layer, state: &Arc<Snapshot>, query: &Query, limits: &Limits) -> Result<Passed, Broken> {
    resolve(&state.root, &layer.layout, &layer.label, query, limits).map(|sources| Passed {
        sources,
        snapshot: Arc::clone(state),
        held: None,
    })
}
