//! The log of head moves: the product's, on a disk that may be full.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use config_server::change::Change;
use config_server::store::head_log::HeadLogError;
use config_server::store::{HeadLog, HeadMove};
use contract::{CommitId, Label, MoveId};

use crate::simulation::remote::{BRANCHES, branch_named};

/// Writes through to the product's log, and notes what it wrote.
#[derive(Debug)]
pub(super) struct Log {
    change: Arc<Change>,
    full: AtomicBool,
    /// Where the next move of each branch leads to.
    positions: Mutex<[usize; BRANCHES.len()]>,
    written: Mutex<Vec<Written>>,
}

/// A move that is written down; `first` when nothing was known of the label before.
#[derive(Debug, Clone)]
pub struct Written {
    pub label: Label,
    pub moved: MoveId,
    pub first: bool,
    /// The place of the branch that it leads to.
    pub position: usize,
}

impl Log {
    pub(super) fn new(change: Arc<Change>) -> Self {
        Self {
            change,
            full: AtomicBool::new(false),
            positions: Mutex::default(),
            written: Mutex::default(),
        }
    }

    pub(super) fn set_full(&self, full: bool) {
        self.full.store(full, Ordering::Relaxed);
    }

    /// The next move of `branch` leads to its place `position`.
    pub(super) fn leads_to(&self, branch: usize, position: usize) {
        self.positions.lock().unwrap_or_else(PoisonError::into_inner)[branch] = position;
    }

    pub(super) fn position(&self, branch: usize) -> usize {
        self.positions.lock().unwrap_or_else(PoisonError::into_inner)[branch]
    }

    pub(super) fn take_written(&self) -> Vec<Written> {
        std::mem::take(&mut self.written.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl HeadLog for Log {
    async fn last(&self, repository: &str, label: &Label) -> Option<(CommitId, MoveId)> {
        self.change.last(repository, label).await
    }

    async fn record(&self, moved: HeadMove) -> Result<MoveId, HeadLogError> {
        if self.full.load(Ordering::Relaxed) {
            return Err(HeadLogError("the disk is full".into()));
        }
        let (first, label) = (moved.from.is_none(), moved.label.clone());
        let branch = branch_named(label.as_str()).expect("only branches are followed");
        let moved = self.change.record(moved).await?;
        let written = Written {
            label,
            moved: moved.clone(),
            first,
            position: self.position(branch),
        };
        self.written
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(written);
        Ok(moved)
    }

    async fn labels(&self, repository: &str) -> Vec<Label> {
        self.change.labels(repository).await
    }

    async fn visited(&self, repository: &str, label: &Label, commit: &CommitId) -> bool {
        self.change.visited(repository, label, commit).await
    }
}
