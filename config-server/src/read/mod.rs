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

pub mod gate;
mod sources;
mod states;

pub mod digest;
mod overrides;

mod environment;
mod file;

mod cache;

use std::sync::Arc;

use contract::AtLeast;

pub use answer::{Answer, Served};
pub use error::ReadError;
pub use form::{Charset, Content, Form};

use crate::engine::cipher::{self, CipherError, Keys};
use crate::engine::document::Limits;
use crate::engine::query::Query;
use crate::engine::resolve::Source;
use crate::settings::secret::Secret;
use crate::settings::serving::Gate;
use crate::settings::{Backend, ServingSettings};
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
    pub try_master_branch: bool,
    pub overrides: Vec<(String, Secret)>,
    pub limits: Limits,
    pub encryption: Encryption,
}

/// What is done about `{cipher}`.
#[derive(Debug, Clone)]
pub struct Encryption {
    pub keys: Arc<Keys>,
    /// Values of sources are decrypted.
    pub enabled: bool,
    /// Values in plain files, too.
    pub plain_files: bool,
    /// What cannot be decrypted is renamed `invalid.<key>`.
    pub prefix_invalid: bool,
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
    pub async fn read(&self, query: Query, form: Form, at_least: &[AtLeast]) -> Result<Served, ReadError> {
        let view = self.store.view(&query, at_least).await?;
        let key = Key::new(&view, query, form);
        let (moved, label, stale) = (view.moved.clone(), view.label.clone(), view.stale);
        let rules = Arc::clone(&self.rules);
        let answer = self
            .rendered
            .get_or_render(key, move |key| render(&view, key, &rules))
            .await?;
        Ok(Served {
            answer,
            moved,
            label,
            stale,
        })
    }

    /// See [`Store::generation`].
    #[must_use]
    pub fn generation(&self) -> Option<u64> {
        self.store.generation()
    }

    /// Bytes and number of the answers kept.
    #[must_use]
    pub fn kept(&self) -> (u64, u64) {
        self.rendered.size()
    }
}

impl Rules {
    /// What the settings say.
    #[must_use]
    pub fn new(settings: &ServingSettings, backend: &Backend, encryption: Encryption) -> Self {
        Self {
            gate: settings.gate,
            accept_empty: settings.accept_empty,
            strip_document: settings.strip_document,
            fail_on_composite_error: match backend {
                Backend::Composite { fail_on_error, .. } => *fail_on_error,
                Backend::Git(_) | Backend::Native(_) => true,
            },
            try_master_branch: matches!(backend, Backend::Git(git) if git.try_master_branch),
            overrides: settings.overrides.clone(),
            limits: limits(backend),
            encryption,
        }
    }

    /// A file is found whether or not there are sources for its placeholders.
    fn for_files(&self) -> Self {
        Self {
            accept_empty: true,
            ..self.clone()
        }
    }

    fn decrypt(&self, sources: &mut [Source]) {
        if self.encryption.enabled {
            cipher::decrypt(sources, &self.encryption.keys, self.encryption.prefix_invalid);
        }
    }

    fn decrypt_file(&self, path: &str, text: String) -> Result<String, CipherError> {
        if !self.encryption.plain_files {
            return Ok(text);
        }
        cipher::decrypt_file(path, text, &self.encryption.keys, &self.limits)
    }
}

/// The limits are one setting for all backends.
fn limits(backend: &Backend) -> Limits {
    match backend {
        Backend::Git(git) => git.limits,
        Backend::Native(native) => native.limits,
        Backend::Composite { members, .. } => members.first().map(limits).unwrap_or_default(),
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
