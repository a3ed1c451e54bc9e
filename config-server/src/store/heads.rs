//! The heads of one repository that are served: per label one immutable state behind a pointer.
//!
//! **Invariant: only the task that refreshes the repository calls [`Heads::place`]**, so a head has
//! one writer; readers load the pointer. The order of a move is: built, swapped, written down.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use contract::{CommitId, Label, MoveId};
use tracing::{info, warn};

use super::fallback::Fallbacks;
use super::head_log::{Cause, HeadLog, HeadMove};
use crate::engine::resolve::Layout;
use crate::engine::snapshot::Snapshot;
use crate::engine::tree::{ContentId, Directory};
use crate::git::Loaded;

/// Labels followed at a time; the one not asked for longest gives way.
const MOST_LABELS: usize = 256;

/// The state a label stands at.
#[derive(Debug)]
pub struct Head {
    pub label: Label,
    pub current: Loaded,
    /// May be served in the place of `current`, newest first.
    pub earlier: Arc<[Loaded]>,
    /// The entry of the log that names this move; `None` until it is written, and for commits
    /// asked for by id, which never move.
    pub moved: Option<MoveId>,
    /// When it was last asked for, on the repository's own clock of requests.
    used: AtomicU64,
}

/// All heads of one repository.
#[derive(Debug)]
pub struct Heads {
    pub repository: Arc<str>,
    pub layout: Layout,
    log: Arc<dyn HeadLog>,
    map: ArcSwap<HashMap<String, Arc<Head>>>,
    clock: AtomicU64,
    /// Of the whole store: counts what changed in any of its heads.
    generation: Arc<AtomicU64>,
}

impl Head {
    #[must_use]
    pub fn new(label: Label, current: Loaded, earlier: Arc<[Loaded]>) -> Self {
        Self {
            label,
            current,
            earlier,
            moved: None,
            used: AtomicU64::new(0),
        }
    }

    /// What the next state of the label comes after, newest first.
    #[must_use]
    pub fn states(&self) -> Vec<Loaded> {
        std::iter::once(&self.current).chain(&*self.earlier).cloned().collect()
    }

    /// The newest of the states that have the fewest broken files.
    #[must_use]
    pub fn soundest(&self) -> &Arc<Snapshot> {
        let states = std::iter::once(&self.current).chain(&*self.earlier);
        let soundest = states.min_by_key(|state| state.broken.len());
        &soundest.unwrap_or(&self.current).snapshot
    }

    pub fn commit(&self) -> &CommitId {
        &self.current.snapshot.commit
    }

    fn written(&self, moved: MoveId) -> Self {
        Self {
            label: self.label.clone(),
            current: self.current.clone(),
            earlier: self.earlier.clone(),
            moved: Some(moved),
            used: AtomicU64::new(self.used.load(Ordering::Relaxed)),
        }
    }
}

impl Heads {
    pub fn new(repository: Arc<str>, layout: Layout, log: Arc<dyn HeadLog>, generation: Arc<AtomicU64>) -> Self {
        Self {
            repository,
            layout,
            log,
            map: ArcSwap::default(),
            clock: AtomicU64::new(0),
            generation,
        }
    }

    /// The head of a label that is followed already.
    pub fn get(&self, label: &str) -> Option<Arc<Head>> {
        let map = self.map.load();
        let head = map.get(label)?;
        head.used
            .store(self.clock.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        Some(head.clone())
    }

    pub fn all(&self) -> Vec<Arc<Head>> {
        let mut heads: Vec<_> = self.map.load().values().cloned().collect();
        heads.sort_by(|a, b| a.label.cmp(&b.label));
        heads
    }

    /// Where the log has the head of `label`.
    pub async fn last(&self, label: &Label) -> Option<CommitId> {
        let last = self.log.last(&self.repository, label).await;
        last.map(|(commit, _)| commit)
    }

    /// The labels that were followed before.
    pub async fn labels(&self) -> Vec<Label> {
        self.log.labels(&self.repository).await
    }

    /// Whether the head of `label` ever stood at `commit`.
    pub async fn visited(&self, label: &Label, commit: &CommitId) -> bool {
        self.log.visited(&self.repository, label, commit).await
    }

    /// Serves `current` for `label`, then writes the move down unless the log has it. `before` is
    /// the state that the log names, where it is at hand. `earlier` (newest first) may be served to
    /// those who cannot read `current`.
    pub async fn place(
        &self,
        label: &Label,
        current: Loaded,
        earlier: Vec<Loaded>,
        before: Option<Arc<Snapshot>>,
        cause: Cause,
    ) -> Arc<Head> {
        for path in &*current.broken {
            warn!(%label, commit.id = %current.snapshot.commit, %path, "a configuration file cannot be parsed");
        }
        let earlier = Fallbacks::among(&current, earlier);
        let head = Arc::new(Head::new(label.clone(), current, earlier));
        self.swap(head.clone());
        self.write_down(head, before, cause).await
    }

    /// Writes down the moves that could not be written before.
    pub async fn write_down_missed(&self, cause: Cause) {
        for head in self.all() {
            if head.moved.is_none() {
                self.write_down(head, None, cause).await;
            }
        }
    }

    /// Stops serving a label that is gone.
    pub fn forget(&self, label: &Label) {
        info!(repository = %self.repository, %label, "the label is gone");
        self.change(|map| {
            map.remove(label.as_str());
        });
    }

    async fn write_down(&self, head: Arc<Head>, before: Option<Arc<Snapshot>>, cause: Cause) -> Arc<Head> {
        let last = self.log.last(&self.repository, &head.label).await;
        let moved = match last {
            Some((commit, moved)) if commit == *head.commit() => Ok(moved),
            last => {
                let from = last.map(|(commit, _)| {
                    before
                        .filter(|before| before.commit == commit)
                        .unwrap_or_else(|| Arc::new(unknown(commit)))
                });
                self.log.record(self.move_of(&head, from, cause)).await
            }
        };
        match moved {
            Ok(moved) => {
                let head = Arc::new(head.written(moved));
                self.swap(head.clone());
                head
            }
            Err(error) => {
                warn!(
                    label = %head.label,
                    commit.id = %head.commit(),
                    error = &error as &dyn std::error::Error,
                    "the head moved, but its event has to wait"
                );
                head
            }
        }
    }

    fn move_of(&self, head: &Head, from: Option<Arc<Snapshot>>, cause: Cause) -> HeadMove {
        HeadMove {
            repository: self.repository.clone(),
            label: head.label.clone(),
            from,
            to: head.current.snapshot.clone(),
            layout: self.layout.clone(),
            cause,
        }
    }

    fn swap(&self, head: Arc<Head>) {
        self.change(|map| {
            let now = self.clock.load(Ordering::Relaxed);
            head.used.fetch_max(now, Ordering::Relaxed);
            map.insert(head.label.to_string(), head);
            if map.len() > MOST_LABELS {
                let oldest = map.values().min_by_key(|head| head.used.load(Ordering::Relaxed));
                if let Some(label) = oldest.map(|head| head.label.clone()) {
                    map.remove(label.as_str());
                }
            }
        });
    }

    fn change(&self, change: impl FnOnce(&mut HashMap<String, Arc<Head>>)) {
        let mut map = HashMap::clone(&self.map.load());
        change(&mut map);
        self.map.store(Arc::new(map));
        self.generation.fetch_add(1, Ordering::Release);
    }
}

/// A state whose content is no longer here (the mirror was made anew): everything in the next state
/// counts as new, so nobody is left out.
fn unknown(commit: CommitId) -> Snapshot {
    Snapshot {
        commit,
        committed_at: 0,
        root: Arc::new(Directory {
            id: ContentId::new(""),
            entries: Default::default(),
        }),
    }
}
