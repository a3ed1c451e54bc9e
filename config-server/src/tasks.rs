//! Who runs: every long-lived task has a name, an owner and a stop.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use serde::Serialize;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::error;

/// The tasks of one server. A cheap handle.
#[derive(Debug, Clone, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    board: Arc<Mutex<BTreeMap<String, Entry>>>,
    failed: CancellationToken,
}

/// One task, as `/tasks` tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskStatus {
    pub name: String,
    pub state: TaskState,
    /// How long it has run, or ran.
    pub seconds: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskState {
    Running,
    /// Ended on its own: the server goes down with it.
    Failed,
}

#[derive(Debug)]
struct Entry {
    started: Instant,
    failed: Option<Instant>,
}

impl Tasks {
    /// Runs `task` until it ends. One that ends before `stop` takes the server with it: half a
    /// server that looks healthy is worse than none.
    pub fn spawn<F>(&self, name: impl Into<String>, stop: &CancellationToken, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let name = self.enter(name.into());
        let (tasks, stop) = (self.clone(), stop.clone());
        self.tracker.spawn(async move {
            let panicked = AssertUnwindSafe(task).catch_unwind().await.is_err();
            tasks.ended(&name, panicked || !stop.is_cancelled());
        });
    }

    /// Done when a task has failed.
    pub async fn failed(&self) {
        self.failed.cancelled().await;
    }

    /// A task that ended on its own.
    #[must_use]
    pub fn first_failed(&self) -> Option<String> {
        let failed = self.list().into_iter().find(|task| task.state == TaskState::Failed);
        failed.map(|task| task.name)
    }

    /// For the tasks of others, which keep themselves alive.
    #[must_use]
    pub fn tracker(&self) -> &TaskTracker {
        &self.tracker
    }

    /// Waits until every task has ended.
    pub async fn ended_all(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }

    /// Every task that runs, or ended on its own.
    #[must_use]
    pub fn list(&self) -> Vec<TaskStatus> {
        let describe = |(name, entry): (&String, &Entry)| {
            let state = entry.failed.map_or(TaskState::Running, |_| TaskState::Failed);
            let until = entry.failed.unwrap_or_else(Instant::now);
            TaskStatus {
                name: name.clone(),
                state,
                seconds: until.duration_since(entry.started).as_secs(),
            }
        };
        self.entries().iter().map(describe).collect()
    }

    /// The names of the tasks that still run.
    #[must_use]
    pub fn running(&self) -> Vec<String> {
        let running = self.list().into_iter().filter(|task| task.state == TaskState::Running);
        running.map(|task| task.name).collect()
    }

    /// Writes the task down under a name of its own.
    fn enter(&self, name: String) -> String {
        let mut entries = self.entries();
        let taken = |name: &String| entries.contains_key(name);
        let name = if taken(&name) {
            let numbered = (2..).map(|number| format!("{name} #{number}"));
            numbered.into_iter().find(|name| !taken(name)).unwrap_or(name)
        } else {
            name
        };
        let entry = Entry {
            started: Instant::now(),
            failed: None,
        };
        entries.insert(name.clone(), entry);
        name
    }

    fn ended(&self, name: &str, failed: bool) {
        if !failed {
            // Mirrors come and go for as long as the server runs.
            self.entries().remove(name);
            return;
        }
        if let Some(entry) = self.entries().get_mut(name) {
            entry.failed = Some(Instant::now());
        }
        error!(task = name, "a task ended on its own: the server stops");
        self.failed.cancel();
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_ends_on_its_own_is_a_failure() {
        let (tasks, stop) = (Tasks::default(), CancellationToken::new());
        tasks.spawn("worker", &stop, async { panic!("of its own accord") });
        tasks.failed().await;
        assert_eq!(tasks.list()[0].state, TaskState::Failed);
    }

    #[tokio::test]
    async fn a_task_that_was_told_to_end_is_none() {
        let (tasks, stop) = (Tasks::default(), CancellationToken::new());
        tasks.spawn("worker", &stop, stop.clone().cancelled_owned());
        assert_eq!(tasks.running(), ["worker"]);
        stop.cancel();
        tasks.ended_all().await;
        assert_eq!((tasks.list(), tasks.first_failed()), (Vec::new(), None));
    }
}
