//! Rendered answers, kept by what they were made of.
//!
//! A key names immutable states and a request, so an entry is never wrong, only unused: nothing is
//! ever invalidated. Bounded by bytes. One of several equal requests renders, the others wait for
//! it.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, Weak};

use contract::CommitId;
use moka::sync::Cache;
use tokio::sync::OnceCell;

use super::answer::Answer;
use super::error::ReadError;
use super::form::Form;
use crate::engine::query::Query;
use crate::engine::resolve::Layout;
use crate::git::Loaded;
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
    earlier: Earlier,
}

/// The earlier states that may be served in its place, told apart by where they are kept: a look at
/// their commits would cost every read. The pointer keeps that place from being used again, and no
/// state alive.
#[derive(Debug, Clone)]
struct Earlier(Option<Weak<[Loaded]>>);

/// Rendered answers. One that is rendered right now is a cell that its readers wait for.
#[derive(Debug, Clone)]
pub(super) struct RenderedAnswers(Cache<Arc<Key>, Cell>);

type Cell = Arc<OnceCell<Arc<Answer>>>;

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
            earlier: Earlier::of(&layer.earlier),
        }
    }
}

impl Earlier {
    fn of(states: &Arc<[Loaded]>) -> Self {
        Self((!states.is_empty()).then(|| Arc::downgrade(states)))
    }

    fn place(&self) -> Option<*const ()> {
        self.0.as_ref().map(|states| Weak::as_ptr(states).cast())
    }
}

impl PartialEq for Earlier {
    fn eq(&self, other: &Self) -> bool {
        self.place() == other.place()
    }
}

impl Eq for Earlier {}

impl Hash for Earlier {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.place().hash(state);
    }
}

impl RenderedAnswers {
    /// Keeps up to `bytes`.
    pub(super) fn new(bytes: u64) -> Self {
        let weigh = |key: &Arc<Key>, cell: &Cell| {
            let body = cell.get().map_or(0, |answer| answer.body.len());
            u32::try_from(body + key.weight() + OVERHEAD).unwrap_or(u32::MAX)
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
        let cell = match self.0.get(&key) {
            Some(cell) => cell,
            None => self.0.get_with(Arc::clone(&key), Cell::default),
        };
        if let Some(answer) = cell.get() {
            return Ok(Arc::clone(answer));
        }
        let mut rendered_here = false;
        let rendered = cell.get_or_try_init(|| {
            rendered_here = true;
            on_the_pool(Arc::clone(&key), render)
        });
        let rendered = rendered.await.map(Arc::clone);
        match &rendered {
            // Put in again, now that it has its weight.
            Ok(_) if rendered_here => self.0.insert(key, Arc::clone(&cell)),
            Err(_) if rendered_here => self.0.invalidate(&key),
            _ => {}
        }
        rendered
    }

    /// Bytes and number of the answers kept.
    pub(super) fn size(&self) -> (u64, u64) {
        (self.0.weighted_size(), self.0.entry_count())
    }
}

/// Parsing what was never parsed takes its time: not on a thread that answers others.
async fn on_the_pool<F>(key: Arc<Key>, render: F) -> Result<Arc<Answer>, ReadError>
where
    F: FnOnce(&Key) -> Result<Answer, ReadError> + Send + 'static,
{
    let rendered = tokio::task::spawn_blocking(move || render(&key)).await;
    rendered.map_or_else(
        |panicked| {
            tracing::error!(%panicked, "rendering an answer failed");
            Err(ReadError::Failed)
        },
        |rendered| rendered.map(Arc::new),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::query::Rules;

    fn key(name: &str) -> Key {
        Key {
            states: Vec::new(),
            version: None,
            query: Query::new(name, "dev", None, &Rules::default()).expect("a good query"),
            form: Form::Environment { origins: false },
        }
    }

    fn answer(bytes: usize) -> Answer {
        Answer::new(vec![b'x'; bytes].into(), "0", None, None)
    }

    #[tokio::test]
    async fn an_answer_is_rendered_once() {
        let answers = RenderedAnswers::new(1_000_000);
        for rendered in [true, false, false] {
            let render = move |_: &Key| {
                if rendered {
                    Ok(answer(10))
                } else {
                    Err(ReadError::Failed)
                }
            };
            assert!(answers.get_or_render(key("orders"), render).await.is_ok());
        }
        let failing = answers.get_or_render(key("other"), |_| Err(ReadError::Failed)).await;
        assert!(failing.is_err());
        assert!(answers.get_or_render(key("other"), |_| Ok(answer(10))).await.is_ok());
    }

    #[tokio::test]
    async fn what_is_kept_is_bounded_by_bytes() {
        let answers = RenderedAnswers::new(20_000);
        for number in 0..100 {
            let rendered = answers.get_or_render(key(&format!("a{number}")), |_| Ok(answer(1_000)));
            assert_eq!(rendered.await.expect("an answer").body.len(), 1_000);
        }
        answers.0.run_pending_tasks();
        let (bytes, kept) = answers.size();
        assert!(
            bytes <= 20_000 && (1..=13).contains(&kept),
            "{kept} answers of {bytes} bytes"
        );
        let huge = answers.get_or_render(key("huge"), |_| Ok(answer(100_000))).await;
        assert_eq!(huge.expect("given out all the same").body.len(), 100_000);
        answers.0.run_pending_tasks();
        assert!(answers.size().0 <= 20_000);
    }
}
