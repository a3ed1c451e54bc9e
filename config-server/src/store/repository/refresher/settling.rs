//! What the end of a look leads to: heads move, and whoever waited is told.

use std::sync::Arc;

use tokio::time::Instant;
use tracing::{Instrument, info_span, warn};

use super::{Refresher, Waiter};
use crate::git::{Failure, GitError, RefTable};
use crate::store::head_log::Cause;
use crate::store::heads::Head;
use crate::store::outcome::{HeadOutcome, RefreshFailure, RefreshOutcome};
use crate::store::view::ViewError;

impl Refresher {
    /// A fetch has ended: heads move, whoever waited is told.
    pub(super) async fn settle(&mut self, fetched: Result<RefTable, GitError>) {
        self.fetching = None;
        let cause = self.rounds.cause();
        let span = info_span!("refresh", repository = %self.shared.heads.repository, cause = ?cause);
        async {
            self.shared.heads.write_down_missed(cause).await;
            let outcome = match fetched {
                Ok(refs) => self.advance(refs, cause).await,
                Err(error) => self.failed(error),
            };
            self.shared.looks.count(&outcome);
            for waiter in self.rounds.finish() {
                self.tell(waiter, &outcome).await;
            }
        }
        .instrument(span)
        .await;
    }

    async fn advance(&mut self, refs: RefTable, cause: Cause) -> RefreshOutcome {
        self.damaged = false;
        self.shared.refs.store(Some(Arc::new(refs)));
        self.shared.contact().succeeded(Instant::now());
        self.recall(cause).await;
        let mut outcome = RefreshOutcome::default();
        for head in self.shared.heads.all() {
            match self.shared.advance_head(&head, cause).await {
                Ok(Some(now)) => outcome.heads.push(told(&now, &head, &self.shared.heads.repository)),
                Ok(None) => {}
                Err(failure) => {
                    self.hurt(&failure);
                    warn!(label = %head.label, %failure, "the head stays where it is");
                    outcome.heads.push(told(&head, &head, &self.shared.heads.repository));
                    outcome.failures.push(self.failure(failure.to_string()));
                }
            }
        }
        if outcome.failures.is_empty() {
            self.shared.contact().serves(self.began);
        }
        outcome
    }

    /// Follows what was followed before the start, and the default label: their moves are announced
    /// whether or not anybody has read them since.
    async fn recall(&mut self, cause: Cause) {
        let mut labels = vec![self.shared.settings.default_label.clone()];
        if !std::mem::replace(&mut self.recalled, true) {
            labels.extend(self.shared.heads.labels().await.into_iter().map(String::from));
        }
        for label in labels {
            // A label that is gone, or cannot be read now, is followed when somebody asks for it.
            let _ = self.follow(&label, cause).await;
        }
    }

    fn failed(&mut self, error: GitError) -> RefreshOutcome {
        if !matches!(error.failure, Failure::Stopped | Failure::Displaced) {
            warn!(%error, "the remote could not be looked at");
        }
        self.hurt(&error.failure);
        let message = error.failure.to_string();
        self.shared.contact().failed(Instant::now(), error);
        let repository = &self.shared.heads.repository;
        RefreshOutcome {
            heads: self
                .shared
                .heads
                .all()
                .iter()
                .map(|head| told(head, head, repository))
                .collect(),
            failures: vec![self.failure(message)],
        }
    }

    fn failure(&self, message: String) -> RefreshFailure {
        RefreshFailure {
            repository: self.shared.heads.repository.clone(),
            message,
        }
    }

    async fn tell(&mut self, waiter: Waiter, outcome: &RefreshOutcome) {
        // Those who waited may have gone.
        match waiter {
            Waiter::Look(done) => {
                let _ = done.send(outcome.clone());
            }
            Waiter::Follow { label, done } => {
                let followed = self.follow(&label, Cause::Read).await;
                let answer = self.answer(&label, followed);
                let _ = done.send(answer);
            }
        }
    }

    /// What a reader is told who asked for a label never seen before.
    pub(super) fn answer(
        &self,
        label: &str,
        followed: Result<Option<Arc<Head>>, Failure>,
    ) -> Result<Arc<Head>, ViewError> {
        let mut contact = self.shared.contact();
        match followed {
            Ok(Some(head)) => Ok(head),
            Ok(None) if self.shared.refs.load().is_some() => {
                contact.lacks(label);
                Err(ViewError::UnknownLabel(label.to_owned()))
            }
            Ok(None) => Err(ViewError::Unreachable(
                contact
                    .error()
                    .map_or_else(|| Failure::NotARepository.to_string(), ToString::to_string),
            )),
            Err(failure) => Err(ViewError::Unreachable(
                GitError {
                    remote: self.shared.heads.repository.clone(),
                    failure,
                }
                .to_string(),
            )),
        }
    }
}

fn told(now: &Head, before: &Head, repository: &Arc<str>) -> HeadOutcome {
    HeadOutcome {
        repository: repository.clone(),
        label: now.label.clone(),
        commit: now.commit().clone(),
        previous: (now.commit() != before.commit()).then(|| before.commit().clone()),
        moved: now.moved.clone(),
    }
}
