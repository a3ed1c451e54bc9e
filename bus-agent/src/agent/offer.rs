//! What is live and what may become so next, with the answers below them.

use std::sync::Arc;

use contract::PropertySource;
use indexmap::IndexMap;

use super::state::LiveSource;
use crate::configuration::{Configuration, Local};
use crate::fetch::Answer;
use crate::follows::Follows;
use crate::revision::Revision;

/// An answer, and where it came from.
#[derive(Debug, Clone)]
pub(super) struct Served {
    pub(super) answer: Arc<Answer>,
    pub(super) source: LiveSource,
}

/// Keeps the answer below what is live, and the configurations that were offered since.
#[derive(Debug)]
pub(super) struct Offers {
    local: Local,
    served: Option<Served>,
    /// At most two: one arrived, one from what lies on top.
    offered: Vec<(Served, Arc<Configuration>)>,
}

impl Served {
    pub(super) fn by_server(answer: Answer) -> Self {
        Self::from(answer, LiveSource::Server)
    }

    pub(super) fn by_memory(answer: Answer) -> Self {
        Self::from(answer, LiveSource::LastKnownGood)
    }

    pub(super) fn nothing(follows: &Follows) -> Self {
        let answer = Answer::nothing(follows.application.as_str(), &follows.profile_names());
        Self::from(answer, LiveSource::Local)
    }

    fn from(answer: Answer, source: LiveSource) -> Self {
        Self {
            answer: Arc::new(answer),
            source,
        }
    }
}

impl Offers {
    pub(super) fn new(local: Local) -> Self {
        Self {
            local,
            served: None,
            offered: Vec::new(),
        }
    }

    /// The answer below what is live.
    pub(super) fn served(&self) -> Option<&Served> {
        self.served.as_ref()
    }

    /// Merges `served` with what lies on top; the name of the whole.
    pub(super) fn offer(&mut self, served: Served) -> Revision {
        let answer = &served.answer;
        let configuration = Configuration::new(answer.revision.clone(), &answer.environment, &self.local);
        let revision = configuration.revision().clone();
        if self.offered.len() > 1 {
            self.offered.remove(0);
        }
        self.offered.push((served, Arc::new(configuration)));
        revision
    }

    /// Takes the newest offer named `digest`.
    pub(super) fn take(&mut self, digest: &str) -> Option<(Served, Arc<Configuration>)> {
        let at = self
            .offered
            .iter()
            .rposition(|(_, configuration)| configuration.revision().digest == digest)?;
        Some(self.offered.swap_remove(at))
    }

    /// `served` is below what is live now.
    pub(super) fn is_live(&mut self, served: Served) {
        self.served = Some(served);
        self.offered.clear();
    }

    /// The server says that the answer below what is live is its own.
    pub(super) fn is_servers(&mut self) {
        if let Some(served) = &mut self.served {
            served.source = LiveSource::Server;
        }
    }

    /// The answer below what is live is current under another version.
    pub(super) fn renamed(&mut self, live: &Revision) {
        if let Some(served) = &mut self.served {
            let revision = &mut Arc::make_mut(&mut served.answer).revision;
            revision.version.clone_from(&live.version);
            revision.moved.clone_from(&live.moved);
        }
    }

    /// Offers what is live with other overrides on top, when they differ.
    pub(super) fn set_overrides(&mut self, overrides: Vec<PropertySource>) -> Option<Revision> {
        if !self.local.set_overrides(overrides) {
            return None;
        }
        self.served.clone().map(|served| self.offer(served))
    }

    /// Offers what is live with `values` pinned on top.
    pub(super) fn pin(&mut self, values: IndexMap<String, Option<String>>) -> Option<Revision> {
        self.local.pin(values);
        self.served.clone().map(|served| self.offer(served))
    }
}
