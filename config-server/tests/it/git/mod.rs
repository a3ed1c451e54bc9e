//! The store against real git: every protocol, everything that may happen to a remote.

mod labels;
mod moves;
mod proxied;
mod remotes;
mod several;
mod tls;
mod trouble;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use config_server::engine::query::Query;
use config_server::engine::tree::{Directory, Node};
use config_server::settings::backend::Freshness;
use config_server::settings::{Backend, GitSettings};
use config_server::store::head_log::memory::MemoryHeadLog;
use config_server::store::{Cause, HeadOutcome, Store, View, ViewError};
use config_server::tasks::Tasks;
use contract::CommitId;
use tempfile::TempDir;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Everything that should happen happens well within this.
const SOON: Duration = Duration::from_secs(20);

/// A store of one's own, its log, and the disk below its mirrors.
struct Served {
    store: Arc<Store>,
    log: Arc<MemoryHeadLog>,
    tasks: Tasks,
    stop: CancellationToken,
    basedir: Arc<TempDir>,
    _end: DropGuard,
}

/// One repository that is only looked at when a test says so.
fn manual(uri: &str, basedir: &Path) -> GitSettings {
    GitSettings {
        freshness: Freshness::Manual,
        timeout: Duration::from_secs(10),
        ..GitSettings::new(uri, basedir.to_owned())
    }
}

impl Served {
    async fn git(uri: &str) -> Self {
        Self::with(uri, |_| {}).await
    }

    async fn with(uri: &str, change: impl FnOnce(&mut GitSettings)) -> Self {
        let basedir = Arc::new(TempDir::new().expect("a directory"));
        let mut settings = manual(uri, basedir.path());
        change(&mut settings);
        Self::open(Backend::Git(settings), basedir, Arc::default()).await
    }

    async fn open(backend: Backend, basedir: Arc<TempDir>, log: Arc<MemoryHeadLog>) -> Self {
        let tasks = Tasks::default();
        let stop = CancellationToken::new();
        let store = Store::open(&backend, log.clone(), &tasks, stop.clone())
            .await
            .expect("a store");
        Self {
            store,
            log,
            tasks,
            _end: stop.clone().drop_guard(),
            stop,
            basedir,
        }
    }

    /// Ends every task and thread.
    async fn close(self) -> (Arc<TempDir>, Arc<MemoryHeadLog>) {
        self.stop.cancel();
        timeout(SOON, self.tasks.ended_all())
            .await
            .expect("every task and thread ends");
        (self.basedir.clone(), self.log.clone())
    }

    async fn view(&self, label: Option<&str>) -> Result<View, ViewError> {
        timeout(SOON, self.store.view(&query("app", "default", label), &[]))
            .await
            .expect("an answer in time")
    }

    async fn version(&self, label: Option<&str>) -> String {
        let view = self.view(label).await.expect("a view");
        view.version.expect("a version")
    }

    async fn at_least(&self, commit: &str) -> Result<View, ViewError> {
        let wanted: CommitId = commit.parse().expect("a commit");
        timeout(SOON, self.store.view(&query("app", "default", None), &[wanted.into()]))
            .await
            .expect("an answer in time")
    }

    async fn refresh(&self) -> Vec<HeadOutcome> {
        let outcome = self.look().await;
        assert_eq!(outcome.failures, [], "the remote can be looked at");
        outcome.heads
    }

    async fn look(&self) -> config_server::store::RefreshOutcome {
        timeout(SOON, self.store.refresh(Cause::Operator))
            .await
            .expect("a look in time")
    }
}

fn query(application: &str, profiles: &str, label: Option<&str>) -> Query {
    Query {
        name: application.to_owned(),
        applications: application.split(',').map(str::to_owned).collect(),
        profiles_text: profiles.to_owned(),
        profiles: profiles.split(',').map(str::to_owned).collect(),
        label: label.map(str::to_owned),
    }
}

/// What a file holds in the highest layer of a view.
fn text(view: &View, path: &str) -> Option<String> {
    file(&view.layers.first()?.snapshot.root, path)
}

fn file(root: &Directory, path: &str) -> Option<String> {
    let (name, rest) = path.split_once('/').unwrap_or((path, ""));
    match root.entries.get(name)? {
        Node::Directory(directory) => file(directory, rest),
        Node::File(blob) => Some(String::from_utf8_lossy(&blob.bytes).into_owned()),
        Node::Link(_) => None,
    }
}
