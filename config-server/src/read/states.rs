//! Which state of each layer an answer is made of, and what is said about it.

use std::sync::Arc;

use bytes::Bytes;
use contract::CommitId;

use super::answer::Answer;
use super::gate;
use crate::engine::snapshot::Snapshot;
use crate::settings::serving::Gate;
use crate::store::{Layer, View};

/// One state per layer of a view: the newest, or an earlier one while that is held back.
#[derive(Debug, Clone)]
pub(super) struct States {
    /// In the order of the layers.
    pub snapshots: Vec<Arc<Snapshot>>,
    /// The version of what is served, held back or not.
    pub version: Option<String>,
    /// The newest commit that was held back.
    pub held: Option<CommitId>,
}

impl States {
    /// None chosen yet.
    pub(super) fn of(view: &View) -> Self {
        Self {
            snapshots: Vec::with_capacity(view.layers.len()),
            version: view.version.clone(),
            held: None,
        }
    }

    /// The states of `view` before any file in them is read.
    pub(super) fn unread(view: &View, gate: Gate) -> Self {
        let mut states = Self::of(view);
        for layer in &view.layers {
            states.add(layer, gate::unread(layer, gate).clone());
        }
        states
    }

    /// Chooses `snapshot` for the next layer.
    pub(super) fn add(&mut self, layer: &Layer, snapshot: Arc<Snapshot>) {
        let (newest, served) = (&layer.snapshot.commit, &snapshot.commit);
        if newest != served {
            let version = self.version.take();
            self.version = version.map(|version| version.replace(newest.as_str(), served.as_str()));
            tracing::debug!(commit.id = %newest, %served, label = %layer.label, "a commit is held back");
            self.held = Some(newest.clone());
        }
        self.snapshots.push(snapshot);
    }

    /// `body` made of these states.
    pub(super) fn answer(&self, body: Bytes, digest: &str) -> Answer {
        Answer::new(body, digest, self.version.as_deref(), self.held.as_ref())
    }
}
