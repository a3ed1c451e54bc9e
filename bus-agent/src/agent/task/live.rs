//! Makes a configuration live, and remembers it.

use std::sync::Arc;
use std::time::SystemTime;

use tracing::warn;

use super::Task;
use super::tell::problem;
use crate::agent::offer::Served;
use crate::agent::state::{Live, LiveSource};
use crate::apply::{Applier, Veto};
use crate::causes::explain;
use crate::configuration::{Configuration, KeysChanged};
use crate::last_known_good::Remembered;
use crate::reconcile::Input;

impl<A: Applier> Task<A> {
    pub(super) async fn apply(&mut self, digest: &str) -> Vec<Input> {
        let Some((served, configuration)) = self.offers.take(digest) else {
            return vec![Input::Applied(Err(Veto::failed(
                "the configuration is no longer there",
            )))];
        };
        let old = self.offers.served().map(|_| self.configuration.borrow().clone());
        let changed = KeysChanged::between(old.as_deref(), &configuration);
        let result = self.applier.apply(&configuration, &changed).await;
        let mut inputs = vec![Input::Applied(result.clone())];
        match result {
            Ok(()) => self.is_live(served, configuration),
            Err(veto) => {
                if let Some(starting) = &mut self.starting {
                    let verdict = starting.refused(veto);
                    inputs.extend(self.follow_verdict(verdict));
                }
            }
        }
        inputs
    }

    fn is_live(&mut self, served: Served, configuration: Arc<Configuration>) {
        self.state.send_modify(|state| {
            state.applied_total += 1;
            state.live = Some(Live {
                revision: configuration.revision().clone(),
                source: served.source,
                since: SystemTime::now(),
            });
        });
        self.offers.is_live(served);
        self.configuration.send_replace(configuration);
    }

    /// Remembers what is live; its name may have moved although the values did not.
    pub(super) async fn persist(&mut self) {
        let Some(live) = self.reconciler.live().cloned() else {
            return;
        };
        let current = self.configuration.borrow().clone();
        if *current.revision() != live {
            self.configuration.send_replace(Arc::new(current.renamed(live.clone())));
            self.state.send_modify(|state| {
                if let Some(shown) = &mut state.live {
                    shown.revision = live.clone();
                }
            });
            self.offers.renamed(&live);
        }
        self.remember().await;
    }

    /// Writes down what is live, for a start while no server answers.
    pub(super) async fn remember(&mut self) {
        let (Some(memory), Some(served)) = (&mut self.memory, self.offers.served()) else {
            return;
        };
        if served.source != LiveSource::Server {
            return;
        }
        let remembered = Remembered {
            answer: (*served.answer).clone(),
            saved: SystemTime::now(),
        };
        let Ok(written) = self.tracker.spawn_blocking(memory.writing(remembered)).await else {
            return;
        };
        memory.settle(written.is_ok());
        let trouble = written.err().map(|error| explain(&error));
        let known = self.state.borrow().unremembered.is_some();
        if let Some(error) = trouble.as_ref().filter(|_| !known) {
            warn!(error, "the last known good configuration was not written");
        }
        self.state
            .send_modify(|state| state.unremembered = trouble.map(problem));
    }
}
