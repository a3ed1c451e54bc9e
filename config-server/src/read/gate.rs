//! Promise 7: a commit that cannot be read is held back from those who would read it.

use std::sync::Arc;

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
}

/// Resolves `query` in the newest state of `layer` that the gate lets through.
///
/// # Errors
/// [`Broken`] of the newest state, when no earlier one is good for the query either.
pub fn pass(layer: &Layer, query: &Query, gate: Gate, limits: &Limits) -> Result<Passed, Broken> {
    let attempt = |state| attempt(layer, state, query, limits);
    let newest = || attempt(&layer.snapshot);
    match gate {
        Gate::Off => newest(),
        Gate::Application => newest().or_else(|broken| {
            let mut earlier = layer.earlier.iter();
            earlier.find_map(|state| attempt(&state.snapshot).ok()).ok_or(broken)
        }),
        Gate::Commit => attempt(&layer.soundest).or_else(|_| newest()),
    }
}

/// The state of `layer` that a file is taken from which needs no other.
#[must_use]
pub fn unread(layer: &Layer, gate: Gate) -> &Arc<Snapshot> {
    match gate {
        Gate::Off | Gate::Application => &layer.snapshot,
        Gate::Commit => &layer.soundest,
    }
}

fn attempt(layer: &Layer, state: &Arc<Snapshot>, query: &Query, limits: &Limits) -> Result<Passed, Broken> {
    let sources = resolve(&state.root, &layer.layout, &layer.label, query, limits)?;
    Ok(Passed {
        sources,
        snapshot: Arc::clone(state),
    })
}
