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
    pub(super) fn new(template: Template, settings: &GitSettings, surroundings: &Surroundings) -> Self {
        Self {
            template,
            settings: settings.clone(),
            surroundings: surroundings.clone(),
            opened: Mutex::default(),
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
        let settings = GitSettings {
            uri: uri.as_str().into(),
            ..self.settings.clone()
        };
        let opened = Repository::open(&settings, None, &self.surroundings).await?;
        let (repository, gone) = self.lock().insert(uri, opened, self.settings.max_mirrors);
        if let Some(gone) = gone {
            gone.discard().await;
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

    /// What stands at `uri` now (another request may have been faster), and who gave way.
    fn insert(
        &mut self,
        uri: String,
        repository: Arc<Repository>,
        most: usize,
    ) -> (Arc<Repository>, Option<Arc<Repository>>) {
        if let Some(standing) = self.used(&uri) {
            return (standing, None);
        }
        let gone = if self.by_uri.len() >= most {
            self.remove_least()
        } else {
            None
        };
        let used = self.clock;
        let entry = Entry {
            repository: repository.clone(),
            used,
        };
        self.by_uri.insert(uri, entry);
        (repository, gone)
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
