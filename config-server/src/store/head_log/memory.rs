//! A log of head moves that dies with the process: for tests, and for trying things out.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use contract::{CommitId, Label, MoveId};

use super::{HeadLog, HeadLogError, HeadMove};

/// Keeps every move in order.
#[derive(Debug, Default)]
pub struct MemoryHeadLog {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    moves: Vec<Recorded>,
    refusing: bool,
}

/// One written move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    pub repository: Arc<str>,
    pub label: Label,
    pub from: Option<CommitId>,
    pub to: CommitId,
}

impl MemoryHeadLog {
    /// Everything written so far, oldest first.
    #[must_use]
    pub fn moves(&self) -> Vec<Recorded> {
        self.with(|state| state.moves.clone())
    }

    /// Refuses to write, as a full disk would, until told otherwise.
    pub fn refuse(&self, refusing: bool) {
        self.with(|state| state.refusing = refusing);
    }

    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn move_id(index: usize) -> MoveId {
    MoveId {
        epoch: "memory".to_owned(),
        sequence: index as u64 + 1,
    }
}

impl Recorded {
    fn is_of(&self, repository: &str, label: &Label) -> bool {
        &*self.repository == repository && self.label == *label
    }
}

#[async_trait]
impl HeadLog for MemoryHeadLog {
    async fn last(&self, repository: &str, label: &Label) -> Option<(CommitId, MoveId)> {
        self.with(|state| {
            let index = state.moves.iter().rposition(|moved| moved.is_of(repository, label))?;
            Some((state.moves[index].to.clone(), move_id(index)))
        })
    }

    async fn record(&self, moved: HeadMove) -> Result<MoveId, HeadLogError> {
        self.with(|state| {
            if state.refusing {
                return Err(HeadLogError("the log refuses".into()));
            }
            state.moves.push(Recorded {
                repository: moved.repository,
                label: moved.label,
                from: moved.from.map(|snapshot| snapshot.commit.clone()),
                to: moved.to.commit.clone(),
            });
            Ok(move_id(state.moves.len() - 1))
        })
    }

    async fn labels(&self, repository: &str) -> Vec<Label> {
        let mut labels = Vec::new();
        for moved in self.moves().into_iter().rev() {
            if &*moved.repository == repository && !labels.contains(&moved.label) {
                labels.push(moved.label);
            }
        }
        labels
    }

    async fn visited(&self, repository: &str, label: &Label, commit: &CommitId) -> bool {
        self.with(|state| {
            state
                .moves
                .iter()
                .any(|moved| moved.is_of(repository, label) && moved.to == *commit)
        })
    }
}
