//! Rendered answers, kept by what they were made of.
//!
//! A key names immutable states and a request, so an entry is never wrong, only unused: nothing is
//! ever invalidated. Bounded by bytes. One of several equal requests renders, the others wait for
//! it.

use std::sync::Arc;

use contract::CommitId;
use moka::sync::Cache;

use super::answer::Answer;
use super::error::ReadError;
use super::form::Form;
use crate::engine::query::Query;
use crate::engine::resolve::Layout;
use crate::store::{Layer, View};

/// Bytes an entry costs besides its text.
const OVERHEAD: usize = 512;

/// What an answer is made of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    states: Vec<State>,
    /// Configured for native directories: not derived from the states.
    version: Option<String>,
    pub query: Query,
    pub form: Form,
}

/// One layer's state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    layout: Layout,
    label: Arc<str>,
    commit: CommitId,
    /// The earlier states that may be served in its place.
    fallbacks: Vec<CommitId>,
}

/// Rendered answers.
#[derive(Debug, Clone)]
pub(super) struct RenderedAnswers(Cache<Arc<Key>, Arc<Answer>>);

impl Key {
    pub(super) fn new(view: &View, query: Query, form: Form) -> Self {
        Self {
            states: view.layers.iter().map(State::of).collect(),
            version: view.version.clone(),
            query,
            form,
        }
    }

    fn weight(&self) -> usize {
        self.query.name.len() * 2 + self.query.profiles_text.len() * 2 + self.form.weight()
    }
}

impl State {
    fn of(layer: &Layer) -> Self {
        Self {
            layout: layer.layout.clone(),
            label: Arc::clone(&layer.label),
            commit: layer.snapshot.commit.clone(),
            fallbacks: layer.fallbacks.iter().map(|state| state.commit.clone()).collect(),
        }
    }
}

impl RenderedAnswers {
    /// Keeps up to `bytes`.
    pub(super) fn new(bytes: u64) -> Self {
        let weigh = |key: &Arc<Key>, answer: &Arc<Answer>| {
            u32::try_from(answer.body.len() + key.weight() + OVERHEAD).unwrap_or(u32::MAX)
        };
        Self(Cache::builder().max_capacity(bytes).weigher(weigh).build())
    }

    /// The answer, rendered now by `render` when it is not kept. Failures are not kept.
    ///
    /// # Errors
    /// What `render` says.
    pub(super) async fn get_or_render<F>(&self, key: Key, render: F) -> Result<Arc<Answer>, ReadError>
    where
        F: FnOnce(&Key) -> Result<Answer, ReadError> + Send + 'static,
    {
        let key = Arc::new(key);
        if let Some(answer) = self.0.get(&key) {
            return Ok(answer);
        }
        let cache = self.0.clone();
        // Parsing what was never parsed takes its time: not on a thread that answers others.
        let rendered = tokio::task::spawn_blocking(move || {
            let request = Arc::clone(&key);
            cache.try_get_with(key, || render(&request).map(Arc::new))
        });
        match rendered.await {
            Ok(rendered) => rendered.map_err(|error| ReadError::clone(&error)),
            Err(panicked) => {
                tracing::error!(%panicked, "rendering an answer failed");
                Err(ReadError::Failed)
            }
        }
    }

    /// Bytes and number of the answers kept.
    pub(super) fn size(&self) -> (u64, u64) {
        (self.0.weighted_size(), self.0.entry_count())
    }
}
