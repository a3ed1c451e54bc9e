//! One git repository: its heads, and how a reader gets at them.
//!
//! Reading is a pointer load. Everything that changes a head goes through the one task of
//! [`refresher`], by way of orders.

mod contact;
mod moving;
mod refresher;
pub mod rounds;
mod watch;

use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwapOption;
use async_trait::async_trait;
use contract::{CommitId, Label};
use moka::sync::Cache;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::warn;

use self::contact::Contact;
use self::refresher::{Order, Refresher};
use super::head_log::{Cause, HeadLog};
use super::heads::{Head, Heads};
use super::looks::Looks;
use super::outcome::RefreshOutcome;
use super::upstream::{Contacted, Upstream};
use super::view::ViewError;
use crate::engine::resolve::Layout;
use crate::git::refs::may_be_commit;
use crate::git::shelf::Shelf;
use crate::git::{Failure, Fetcher, GitError, Loaded, Mirror, RefTable, Remote, read};
use crate::settings::GitSettings;
use crate::settings::backend::Freshness;
use crate::tasks::Tasks;

/// Orders that may wait for the refresher.
const ORDERS: usize = 1024;
/// States kept that were asked for by commit id.
const PINNED: u64 = 64;
/// Answers to "is this commit an ancestor of that head" that are remembered.
const ANCESTORS: u64 = 4096;

/// What every repository of a store is given.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    pub(crate) log: Arc<dyn HeadLog>,
    pub(crate) tasks: Tasks,
    pub(crate) stop: CancellationToken,
    /// See [`Store::generation`](crate::store::Store::generation).
    pub(crate) generation: Arc<AtomicU64>,
    pub(crate) looks: Arc<Looks>,
}

/// One repository. Dropping it ends its tasks and its thread.
#[derive(Debug)]
pub(crate) struct Repository {
    /// Ends the tasks of this repository alone. Dropped first: they are told to end before their
    /// queues close.
    _end: tokio_util::sync::DropGuard,
    shared: Arc<Shared>,
    orders: mpsc::Sender<Order>,
}

/// What readers and the refresher share.
#[derive(Debug)]
struct Shared {
    settings: GitSettings,
    heads: Heads,
    mirror: Arc<Mirror>,
    shelf: Arc<Shelf>,
    /// The remote's directory, when it is one of this machine.
    local: Option<PathBuf>,
    /// As of the last look; `None` while nothing was ever fetched.
    refs: ArcSwapOption<RefTable>,
    contact: Mutex<Contact>,
    looks: Arc<Looks>,
    /// States asked for by commit id; they never move.
    pinned: Cache<String, Arc<Head>>,
    /// A head and one of its ancestors.
    ancestors: Cache<(CommitId, CommitId), ()>,
    tracker: TaskTracker,
}

impl Repository {
    /// Opens the mirror of `settings.uri` and starts following it. `name` tells it from others in
    /// the log; the remote is not waited for.
    ///
    /// # Errors
    /// When the address or a setting cannot be used.
    pub(crate) async fn open(
        settings: &GitSettings,
        name: Option<&str>,
        surroundings: &Surroundings,
    ) -> Result<Arc<Self>, GitError> {
        let remote = Remote::parse(&settings.uri).map_err(|failure| GitError {
            // What cannot be parsed may hold anything.
            remote: "the configured repository".into(),
            failure,
        })?;
        let name = name.map_or_else(|| remote.shown.clone(), Into::into);
        let mirror = Arc::new(Mirror::new(
            &settings.basedir,
            &name,
            settings.delete_untracked_branches,
        ));
        let stop = surroundings.stop.child_token();
        let fetcher = Fetcher::start(
            &remote,
            settings,
            mirror.clone(),
            surroundings.tasks.tracker(),
            stop.clone(),
        )?;
        let repository = name.clone();
        let shared = Arc::new(Shared::new(settings, name, &remote, mirror, surroundings));
        let (orders, queue) = mpsc::channel(ORDERS);
        let mut refresher = Refresher::new(shared.clone(), fetcher, queue);
        refresher.warm_up().await;
        let tasks = &surroundings.tasks;
        tasks.spawn(format!("refresher {repository}"), &stop, refresher.run(stop.clone()));
        watch::start(&shared, orders.downgrade(), tasks, &stop);
        Ok(Arc::new(Self {
            _end: stop.drop_guard(),
            shared,
            orders,
        }))
    }

    pub(crate) fn settings(&self) -> &GitSettings {
        &self.shared.settings
    }

    /// Whether anything was ever fetched.
    pub(crate) fn is_known(&self) -> bool {
        self.shared.refs.load().is_some()
    }

    /// In strict mode: one look that starts after now, at most for the timeout.
    pub(crate) async fn check_if_strict(&self) {
        if self.shared.settings.freshness == Freshness::Strict {
            // Past the timeout, or when the look fails, the reader gets the last good state.
            let _ = timeout(self.shared.settings.timeout, self.look(Cause::Read)).await;
        }
    }

    /// The head of `label`: a pointer load, unless the label was never asked for before.
    ///
    /// # Errors
    /// [`ViewError::UnknownLabel`], or [`ViewError::Unreachable`] when nothing is known yet.
    pub(crate) async fn head(&self, label: &str) -> Result<Arc<Head>, ViewError> {
        if let Some(head) = self.shared.known(label) {
            return Ok(head);
        }
        // A commit never moves: there is nothing to write down, so any reader may fetch it.
        let mut no_commit = false;
        if self.is_known() && self.shared.find(label).is_none() {
            match self.shared.pin(label).await {
                Ok(Some(head)) => return Ok(head),
                Ok(None) => no_commit = true,
                // The refresher meets it again, and mends it.
                Err(_) => {}
            }
        }
        let (done, followed) = oneshot::channel();
        let order = Order::Follow {
            label: label.to_owned(),
            no_commit,
            done,
        };
        let stopping = |_| ViewError::Unreachable(Failure::Stopped.to_string());
        self.orders
            .send(order)
            .await
            .map_err(|_| ViewError::Unreachable(Failure::Stopped.to_string()))?;
        followed.await.map_err(stopping)?
    }

    /// Removes the mirror from disk. Who still reads from it is told that it gave way.
    pub(crate) async fn discard(&self) {
        let (done, discarded) = oneshot::channel();
        // A refresher that has ended leaves the mirror where it is; it is found again.
        let _ = self.orders.send(Order::Discard { done }).await;
        let _ = discarded.await;
    }
}

#[async_trait]
impl Upstream for Repository {
    fn heads(&self) -> &Heads {
        &self.shared.heads
    }

    fn labels(&self) -> Vec<String> {
        let refs = self.shared.refs.load();
        let names = refs.iter().flat_map(|refs| refs.names());
        names.map(str::to_owned).collect()
    }

    async fn look(&self, cause: Cause) -> RefreshOutcome {
        let (done, looked) = oneshot::channel();
        // Ended: nothing to tell.
        let _ = self.orders.send(Order::Look { cause, done }).await;
        looked.await.unwrap_or_default()
    }

    async fn holds(&self, head: &Head, wanted: &CommitId) -> bool {
        if head.commit() == wanted {
            return true;
        }
        let pair = (head.commit().clone(), wanted.clone());
        if self.shared.ancestors.contains_key(&pair) {
            return true;
        }
        let is_ancestor = self.shared.is_ancestor(&pair).await;
        if is_ancestor {
            self.shared.ancestors.insert(pair, ());
        }
        is_ancestor
    }

    fn contact(&self) -> Contacted {
        self.shared.contact().told(Instant::now())
    }
}

impl Shared {
    fn new(
        settings: &GitSettings,
        name: Arc<str>,
        remote: &Remote,
        mirror: Arc<Mirror>,
        surroundings: &Surroundings,
    ) -> Self {
        let heads = Heads::new(
            name,
            layout(remote, settings),
            surroundings.log.clone(),
            surroundings.generation.clone(),
        );
        Self {
            settings: GitSettings {
                // The address may hold credentials; nobody needs them any longer.
                uri: (&*remote.shown).into(),
                ..settings.clone()
            },
            heads,
            contact: Mutex::new(Contact::new(Instant::now(), age(&mirror))),
            looks: surroundings.looks.clone(),
            mirror,
            shelf: Arc::default(),
            local: remote.local_path().cloned(),
            refs: ArcSwapOption::empty(),
            pinned: Cache::new(PINNED),
            ancestors: Cache::new(ANCESTORS),
            tracker: surroundings.tasks.tracker().clone(),
        }
    }

    fn contact(&self) -> MutexGuard<'_, Contact> {
        self.contact.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is served for `label`, however it is spelt.
    fn known(&self, label: &str) -> Option<Arc<Head>> {
        if let Some(head) = self.heads.get(label) {
            return Some(head);
        }
        if let Some((name, _)) = self.find(label) {
            return self.heads.get(&name);
        }
        self.pinned.get(label)
    }

    /// The branch or tag that `label` means, with the stock server's one guess: `master` where
    /// `main` was meant (contract 2.6).
    fn find(&self, label: &str) -> Option<(String, git2::Oid)> {
        let refs = self.refs.load();
        let refs = refs.as_ref()?;
        refs.find(label).or_else(|| {
            let settings = &self.settings;
            let guess = settings.try_master_branch && label == "main" && settings.default_label == "main";
            guess.then(|| refs.find("master")).flatten()
        })
    }

    /// Runs `work` on the mirror, off the tasks' threads.
    async fn on_mirror<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&git2::Repository, &Self) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let shared = self.clone();
        let done = self
            .tracker
            .spawn_blocking(move || shared.mirror.read(|repository| work(repository, &shared)));
        match done.await {
            Ok(outcome) => outcome?.ok_or(Failure::UnknownCommit),
            Err(panicked) => {
                warn!(error = %panicked, "reading the mirror ended early");
                Err(Failure::Corrupt)
            }
        }
    }

    async fn load(self: &Arc<Self>, commit: git2::Oid) -> Result<Loaded, Failure> {
        self.on_mirror(move |repository, shared| read::load(repository, &shared.shelf, &shared.settings.limits, commit))
            .await
    }

    async fn is_ancestor(self: &Arc<Self>, (head, wanted): &(CommitId, CommitId)) -> bool {
        let (head, wanted) = (head.clone(), wanted.clone());
        self.on_mirror(move |repository, _| Ok(read::is_ancestor(repository, &wanted, &head)))
            .await
            .unwrap_or(false)
    }

    /// The state of a commit asked for by its id.
    async fn pin(self: &Arc<Self>, id: &str) -> Result<Option<Arc<Head>>, Failure> {
        if !may_be_commit(id) {
            return Ok(None);
        }
        let Ok(label) = id.parse::<Label>() else {
            return Ok(None);
        };
        let text = id.to_owned();
        let found = self.on_mirror(move |repository, shared| {
            let commit = read::find_by_id(repository, &text)?;
            let load = |commit| read::load(repository, &shared.shelf, &shared.settings.limits, commit);
            commit.map(load).transpose()
        });
        let Some(loaded) = found.await? else {
            return Ok(None);
        };
        let head = Arc::new(Head::new(label, loaded, Arc::default()));
        self.pinned.insert(id.to_owned(), head.clone());
        Ok(Some(head))
    }
}

fn layout(remote: &Remote, settings: &GitSettings) -> Layout {
    Layout::Repository {
        uri: remote.shown.clone(),
        search_paths: settings.search_paths.clone().into(),
        reverse_location_order: settings.reverse_location_order,
    }
}

/// How old the mirror on disk is.
fn age(mirror: &Mirror) -> Option<Duration> {
    SystemTime::now().duration_since(mirror.fetched_at()?).ok()
}
