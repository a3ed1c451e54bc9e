//! The log of head moves, as the store writes it.

use std::sync::PoisonError;

use async_trait::async_trait;
use contract::{Affects, CommitId, EventId, Label, MoveId};
use tracing::{info, warn};

use super::journal::{Entry, JournalError};
use super::{Change, notice, sender};
use crate::store::head_log::HeadLogError;
use crate::store::{HeadLog, HeadMove};

impl Change {
    fn touched(&self, moved: &HeadMove) -> Affects {
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        notice::touched(moved, &mut links)
    }

    fn superseded(&self, events: &[EventId]) {
        for id in events {
            self.delivery.expired(id);
        }
        if !events.is_empty() {
            warn!(
                events = events.len(),
                "too many moves of one head wait for the bus: the newest speaks for all of them, to everybody"
            );
        }
    }
}

#[async_trait]
impl HeadLog for Change {
    /// What cannot be read counts as not known: [`HeadLog::record`] looks again, and the log has
    /// the last word there.
    async fn last(&self, repository: &str, label: &Label) -> Option<(CommitId, MoveId)> {
        let last = self.journal.last(repository, label).await;
        last.unwrap_or_else(|error| unread(&error))
    }

    async fn record(&self, moved: HeadMove) -> Result<MoveId, HeadLogError> {
        let affects = self.touched(&moved);
        let entry = Entry {
            repository: moved.repository,
            label: moved.label.clone(),
            from: moved.from.map(|snapshot| snapshot.commit.clone()),
            to: moved.to.commit.clone(),
            affects,
            cause: moved.cause,
            sender: sender(&self.settings, self.delivery.agent_count()),
            time: self.clock.now(),
            kept: self.settings.reports_kept,
        };
        let recorded = self
            .journal
            .record(entry)
            .await
            .map_err(|error| HeadLogError(error.into()))?;
        self.superseded(&recorded.superseded);
        if let Some(event) = &recorded.event {
            self.queued(event);
            info!(
                label = %moved.label,
                commit.id = %moved.to.commit,
                event.id = %event.id(),
                cause = moved.cause.name(),
                "the head moved"
            );
        }
        Ok(recorded.moved)
    }

    async fn labels(&self, repository: &str) -> Vec<Label> {
        let labels = self.journal.labels(repository).await;
        labels.unwrap_or_else(|error| unread(&error))
    }

    async fn visited(&self, repository: &str, label: &Label, commit: &CommitId) -> bool {
        let visited = self.journal.visited(repository, label, commit).await;
        visited.unwrap_or_else(|error| unread(&error))
    }
}

fn unread<T: Default>(error: &JournalError) -> T {
    warn!(
        error = error as &dyn std::error::Error,
        "the head-move log is not readable"
    );
    T::default()
}
