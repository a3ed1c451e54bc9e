//! One read: the view, the gate, the sources, the bytes.
//!
//! ```text
//! query -> store.view -> kept? -> per layer: gate -> resolve ┐
//!                         │       overrides, decryption  <───┘ -> render -> keep
//!                         └──────────────────────────────────────────────> answer
//! ```
//!
//! A kept answer costs a pointer load, a look-up and ready bytes: no parse, no git, no lock held
//! across I/O.
//!
//! **The entity tag names the content.** It is the digest of what the application gets (names,
//! profiles, label, sources) and leaves the version out, so that a commit which changes nothing for
//! an application is answered with 304. A stored body may then show an older `version` than the
//! server would write now; `X-Config-Version`, which is on the 304 too, is the one that counts.

pub mod answer;
pub mod error;
pub mod form;

mod gate;
mod sources;

mod digest;
mod overrides;

mod environment;
mod file;

mod cache;

use std::sync::Arc;

use contract::CommitId;

pub use answer::{Answer, Served};
pub use error::ReadError;
pub use form::{Charset, Content, Form};

use crate::engine::document::Limits;
use crate::engine::query::Query;
use crate::engine::resolve::Source;
use crate::settings::ServingSettings;
use crate::settings::serving::Gate;
use crate::store::{Store, View};
use cache::{Key, RenderedAnswers};

/// Answers reads.
#[derive(Debug)]
pub struct Reader {
    store: Arc<Store>,
    rules: Arc<Rules>,
    rendered: RenderedAnswers,
}

/// What answers depend on besides view and request. Fixed while the process runs.
#[derive(Debug, Clone)]
pub struct Rules {
    pub gate: Gate,
    pub accept_empty: bool,
    pub strip_document: bool,
    pub fail_on_composite_error: bool,
    pub overrides: Vec<(String, String)>,
    pub limits: Limits,
}

impl Reader {
    /// Reads from `store` by `rules`, keeping up to `cache_bytes` of answers.
    #[must_use]
    pub fn new(store: Arc<Store>, rules: Rules, cache_bytes: u64) -> Self {
        Self {
            store,
            rules: Arc::new(rules),
            rendered: RenderedAnswers::new(cache_bytes),
        }
    }

    /// The answer to `query` in `form`, not older than `at_least`.
    ///
    /// # Errors
    /// [`ReadError`] says what is missing or broken.
    pub async fn read(&self, query: Query, form: Form, at_least: Option<&CommitId>) -> Result<Served, ReadError> {
        let view = self.store.view(&query, at_least).await?;
        let key = Key::new(&view, query, form);
        let (moved, stale) = (view.moved.clone(), view.stale);
        let rules = Arc::clone(&self.rules);
        let answer = self
            .rendered
            .get_or_render(key, move |key| render(&view, key, &rules))
            .await?;
        Ok(Served { answer, moved, stale })
    }

    /// Bytes and number of the answers kept.
    #[must_use]
    pub fn kept(&self) -> (u64, u64) {
        self.rendered.size()
    }
}

impl Rules {
    /// What `settings` say.
    #[must_use]
    pub fn new(settings: &ServingSettings, fail_on_composite_error: bool, limits: Limits) -> Self {
        Self {
            gate: settings.gate,
            accept_empty: settings.accept_empty,
            strip_document: settings.strip_document,
            fail_on_composite_error,
            overrides: settings.overrides.clone(),
            limits,
        }
    }

    /// A file is found whether or not there are sources for its placeholders.
    fn for_files(&self) -> Self {
        Self {
            accept_empty: true,
            ..self.clone()
        }
    }

    fn decrypt(&self, sources: &mut Vec<Source>, query: &Query) {
        let _ = (self, sources, query);
    }

    fn decrypt_file(&self, path: &str, text: String, query: &Query) -> String {
        let _ = (path, query);
        text
    }
}

fn render(view: &View, key: &Key, rules: &Rules) -> Result<Answer, ReadError> {
    match &key.form {
        Form::Environment { origins } => environment::environment(view, &key.query, *origins, rules),
        Form::Merged {
            form,
            resolve_placeholders,
        } => environment::merged(view, &key.query, (*form, *resolve_placeholders), rules),
        Form::File { path, content } => file::file(view, &key.query, (path, *content), rules),
    }
}
