//! Looks: asks the servers, and reads the override directory.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;
use tracing::warn;

use super::tell::problem;
use super::{OVERRIDES_EVERY, Task};
use crate::agent::offer::Served;
use crate::agent::state::LiveSource;
use crate::apply::Applier;
use crate::causes::explain;
use crate::configuration::read_overrides;
use crate::fetch::{FetchError, Fetched};
use crate::reconcile::{Arrived, Ask, Failed, Input, Looked};

impl<A: Applier> Task<A> {
    pub(super) fn fetch(&mut self, ask: Ask) {
        let fetcher = Arc::clone(&self.fetcher);
        let follows = Arc::clone(&self.follows);
        self.asked = Some(Instant::now());
        self.fetching = Some(Box::pin(async move { fetcher.fetch(&follows, &ask).await }));
        self.state.send_modify(|state| state.fetches_total += 1);
    }

    pub(super) fn fetched(&mut self, fetched: Result<Fetched, FetchError>) -> Vec<Input> {
        self.fetching = None;
        let looked = match fetched {
            Ok(Fetched::NotModified(standing)) => {
                self.confirmed(standing.held, standing.stale);
                self.is_servers();
                Looked::NotModified {
                    version: standing.version,
                    moved: standing.moved,
                    label: standing.label,
                }
            }
            Ok(Fetched::Changed(answer)) => {
                self.confirmed(answer.held.clone(), answer.stale);
                let (label, stale) = (answer.label.clone(), answer.stale.is_some());
                let revision = self.offers.offer(Served::by_server(*answer));
                if self.configuration.borrow().revision().digest == revision.digest {
                    self.is_servers();
                }
                Looked::Changed(Arrived { revision, label, stale })
            }
            Err(error) => return self.fetch_failed(error),
        };
        vec![Input::Looked(looked)]
    }

    fn confirmed(&self, held: Option<String>, stale: Option<Duration>) {
        self.state.send_modify(|state| {
            state.confirmed = Some(SystemTime::now());
            state.held = held;
            state.remote_stale = stale;
        });
    }

    /// What is live is what the server has, wherever it came from at the start.
    fn is_servers(&mut self) {
        self.offers.is_servers();
        self.state.send_modify(|state| {
            if let Some(live) = &mut state.live {
                live.source = LiveSource::Server;
            }
        });
    }

    fn fetch_failed(&mut self, error: FetchError) -> Vec<Input> {
        let failed = Failed {
            reason: explain(&error),
            retry_after: error.retry_after(),
            behind: error.is_behind(),
        };
        self.state
            .send_modify(|state| state.last_error = Some(problem(failed.reason.clone())));
        let mut inputs = vec![Input::Looked(Looked::Failed(failed))];
        if let Some(starting) = &mut self.starting {
            let verdict = starting.fetch_failed(error);
            inputs.extend(self.follow_verdict(verdict));
        }
        inputs
    }

    pub(super) async fn look_at_overrides(&mut self) -> Vec<Input> {
        let Some(overrides) = &mut self.overrides else {
            return Vec::new();
        };
        overrides.due = Instant::now() + OVERRIDES_EVERY;
        let directory = overrides.directory.clone();
        match self.tracker.spawn_blocking(move || read_overrides(&directory)).await {
            Ok(Ok(read)) => self.offers.set_overrides(read).into_iter().map(Input::Local).collect(),
            Ok(Err(error)) => {
                let text = explain(&error);
                let known = self
                    .state
                    .borrow()
                    .last_error
                    .as_ref()
                    .is_some_and(|last| last.text == text);
                if !known {
                    warn!(error = text, "the overrides stay as they were");
                    self.state.send_modify(|state| state.last_error = Some(problem(text)));
                }
                Vec::new()
            }
            Err(_) => Vec::new(),
        }
    }
}
