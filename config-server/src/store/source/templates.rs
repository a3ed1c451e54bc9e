//! The repositories of an address with placeholders: one per completed address, a bounded number.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::git::GitError;
use crate::settings::GitSettings;
use crate::store::repository::{Repository, Surroundings};

use super::address::Template;

/// Opened repositories by completed address.
pub(super) struct Templates {
    pub(super) template: Template,
    settings: GitSettings,
    surroundings: Surroundings,
    opened: Mutex<Opened>,
    /// Held while a mirror is opened or removed: two hands on one directory would undo each other's
    /// work.
    turn: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct Opened {
    by_uri: HashMap<String, Entry>,
    clock: u64,
}

struct Entry {
    repository: Arc<Repository>,
    used: u64,
}

impl Templates {
    /// `number` counts the templates of the settings. Each keeps its mirrors apart: a completed
    /// address may be configured elsewhere too.
    pub(super) fn new(template: Template, number: usize, settings: &GitSettings, surroundings: &Surroundings) -> Self {
        let settings = GitSettings {
            basedir: settings.basedir.join(format!("completed-{number}")),
            ..settings.clone()
        };
        Self {
            template,
            settings,
            surroundings: surroundings.clone(),
            opened: Mutex::default(),
            turn: Arc::default(),
        }
    }

    pub(super) fn settings(&self) -> &GitSettings {
        &self.settings
    }

    /// The repository at `uri`. When there are too many, one gives way: one that was never reached,
    /// else the one not used longest. So names that strangers invent never push out what works.
    pub(super) async fn at(&self, uri: String) -> Result<Arc<Repository>, GitError> {
        if let Some(repository) = self.lock().used(&uri) {
            return Ok(repository);
        }
        let turn = self.turn.clone().lock_owned().await;
        // Another request may have been faster.
        if let Some(repository) = self.lock().used(&uri) {
            return Ok(repository);
        }
        let settings = GitSettings {
            uri: uri.as_str().into(),
            ..self.settings.clone()
        };
        let repository = Repository::open(&settings, None, &self.surroundings).await?;
        let gone = self.lock().insert(uri, repository.clone(), self.settings.max_mirrors);
        if let Some(gone) = gone {
            // Apart from the request, which may end before.
            self.surroundings.tasks.tracker().spawn(async move {
                gone.discard().await;
                drop(turn);
            });
        }
        Ok(repository)
    }

    pub(super) fn all(&self) -> Vec<Arc<Repository>> {
        let opened = self.lock();
        opened.by_uri.values().map(|entry| entry.repository.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Opened> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Templates {
    /// Addresses may hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.all()).finish()
    }
}

impl Opened {
    fn used(&mut self, uri: &str) -> Option<Arc<Repository>> {
        self.clock += 1;
        let entry = self.by_uri.get_mut(uri)?;
        entry.used = self.clock;
        Some(entry.repository.clone())
    }

    /// The answer is who gave way.
    fn insert(&mut self, uri: String, repository: Arc<Repository>, most: usize) -> Option<Arc<Repository>> {
        let gone = if self.by_uri.len() >= most {
            self.remove_least()
        } else {
            None
        };
        let used = self.clock;
        self.by_uri.insert(uri, Entry { repository, used });
        gone
    }

    fn remove_least(&mut self) -> Option<Arc<Repository>> {
        let least = self
            .by_uri
            .iter()
            .min_by_key(|(_, entry)| (entry.repository.is_known(), entry.used));
        let uri = least.map(|(uri, _)| uri.clone())?;
        self.by_uri.remove(&uri).map(|entry| entry.repository)
    }
}
