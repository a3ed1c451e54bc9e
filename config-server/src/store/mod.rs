//! What is served now: per label one immutable snapshot behind an atomic pointer.
//!
//! **Invariant: a read never waits for a fetch and never sees two commits of one label.** The two
//! exceptions are explicit: the first request for a label never seen, and `X-Config-At-Least`
//! (and strict freshness, which the operator has to write down).
//!
//! - [`source`]: which heads a request reads from, by the configured backends
//! - [`repository`]: one git repository and the task that moves its heads; [`native`]: directories
//! - [`heads`]: the pointers, and the order of a move: build, swap, write down ([`head_log`])
//! - [`reach`]: whether a head is past what a client has seen elsewhere
//! - [`view`]: what a reader gets; [`outcome`]: what a look found, [`looks`]: how often

pub mod head_log;
pub mod heads;
pub mod looks;
pub mod outcome;
pub mod reach;
pub mod view;

mod source;
mod upstream;

mod native;
pub mod repository;

mod changes;
mod fallback;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use contract::AtLeast;
use futures_util::future::join_all;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::looks::Looks;
use self::repository::Surroundings;
use self::source::Source;
use self::upstream::{Upstream, status};
use crate::engine::query::Query;
use crate::engine::snapshot::Snapshot;
use crate::settings::Backend;
use crate::settings::backend::Freshness;
use crate::tasks::Tasks;

pub use head_log::{Cause, HeadLog, HeadMove};
pub use native::NativeError;
pub use outcome::{HeadOutcome, HeadStatus, RefreshFailure, RefreshOutcome};
pub use source::{OpenError, TemplateError};
pub use view::{Layer, View, ViewError};

/// When to ask again for a commit that is not here.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Everything that is served.
#[derive(Debug)]
pub struct Store {
    source: Source,
    /// `None` while some read has to look at a remote first.
    generation: Option<Arc<AtomicU64>>,
    looks: Arc<Looks>,
}

impl Store {
    /// Opens every backend and starts following it. Remotes are not waited for, unless
    /// `clone-on-start` asks for it.
    ///
    /// # Errors
    /// [`OpenError`] names the setting or remote that cannot be used.
    pub async fn open(
        backend: &Backend,
        log: Arc<dyn HeadLog>,
        tasks: &Tasks,
        stop: CancellationToken,
    ) -> Result<Arc<Self>, OpenError> {
        let generation = Arc::<AtomicU64>::default();
        let looks = Arc::<Looks>::default();
        let surroundings = Surroundings {
            log,
            tasks: tasks.clone(),
            stop,
            generation: generation.clone(),
            looks: looks.clone(),
        };
        let source = Source::open(backend, &surroundings).await?;
        Ok(Arc::new(Self {
            source,
            generation: (!is_strict(backend)).then_some(generation),
            looks,
        }))
    }

    /// Counts what changed in any head: while it stands still, so does what a read gets (but for
    /// the age of what is stale). `None` with strict freshness, where a read has to look first.
    #[must_use]
    pub fn generation(&self) -> Option<u64> {
        let generation = self.generation.as_ref()?;
        Some(generation.load(Ordering::Acquire))
    }

    /// What `query` reads from, never something older than any of `at_least`.
    ///
    /// # Errors
    /// [`ViewError`]: the label is unknown, nothing was ever fetched, or a wanted commit is not
    /// surely here even after looking.
    pub async fn view(&self, query: &Query, at_least: &[AtLeast]) -> Result<View, ViewError> {
        let picked = self.source.pick(query).await?;
        let asked = Instant::now();
        if reach::missing(&picked, at_least, asked).await.is_none() {
            return Ok(picked.into_view());
        }
        look(&picked.upstreams(), Cause::Read).await;
        let picked = self.source.pick(query).await?;
        match reach::missing(&picked, at_least, asked).await {
            None => Ok(picked.into_view()),
            Some(bound) => Err(ViewError::Behind {
                wanted: bound.commit.clone(),
                retry_after: RETRY_AFTER,
            }),
        }
    }

    /// Looks at every remote now, with a fetch that starts after this call. Calls that arrive during
    /// a fetch share the next one.
    pub async fn refresh(&self, cause: Cause) -> RefreshOutcome {
        look(&self.source.upstreams(), cause).await
    }

    /// How the looks have ended since the start.
    #[must_use]
    pub fn looks(&self) -> &Looks {
        &self.looks
    }

    /// Every label of every repository, followed or not.
    #[must_use]
    pub fn labels(&self) -> BTreeSet<String> {
        let upstreams = self.source.upstreams();
        upstreams.iter().flat_map(|upstream| upstream.labels()).collect()
    }

    /// What every followed head serves now.
    #[must_use]
    pub fn snapshots(&self) -> Vec<Arc<Snapshot>> {
        let upstreams = self.source.upstreams();
        let heads = upstreams.iter().flat_map(|upstream| upstream.heads().all());
        heads.map(|head| Arc::clone(&head.current.snapshot)).collect()
    }

    /// How every followed head stands.
    #[must_use]
    pub fn heads(&self) -> Vec<HeadStatus> {
        let upstreams = self.source.upstreams();
        upstreams.iter().flat_map(|upstream| status(&**upstream)).collect()
    }
}

fn is_strict(backend: &Backend) -> bool {
    match backend {
        Backend::Git(git) => {
            let repos = git.repos.iter().map(|repo| &repo.git);
            repos.chain([git]).any(|git| git.freshness == Freshness::Strict)
        }
        Backend::Native(_) => false,
        Backend::Composite { members, .. } => members.iter().any(is_strict),
    }
}

async fn look(upstreams: &[Arc<dyn Upstream>], cause: Cause) -> RefreshOutcome {
    let looks = upstreams.iter().map(|upstream| upstream.look(cause));
    join_all(looks)
        .await
        .into_iter()
        .fold(RefreshOutcome::default(), |mut all, one| {
            all.join(one);
            all
        })
}
