//! The whole server: what is made of what, who owns which task, and the order of stopping.

mod broker;
mod stopping;
mod transport;

use std::io;
use std::sync::Arc;

use thiserror::Error;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use tracing::info;

use self::broker::BrokerFault;
use self::stopping::Stages;
use self::transport::Joined;
use crate::actuator::gathered::Gathered;
use crate::actuator::state::Stopping;
use crate::actuator::{Actuator, Metrics};
use crate::api::authentication::Guard;
use crate::api::bus::BusState;
use crate::api::configuration::Configuration;
use crate::api::ready::ReadyReplies;
use crate::api::routes::{Front, Parts};
use crate::change::Change;
use crate::change::inbound::Ears;
use crate::change::journal::JournalError;
use crate::engine::cipher::Keys;
use crate::engine::query;
use crate::read::{Encryption, Reader, Rules};
use crate::serve::{Drained, Server, Tls, TlsError};
use crate::settings::encrypt::KeysError;
use crate::settings::load::Disk;
use crate::settings::{Backend, Settings};
use crate::store::{HeadLog, OpenError, Store};
use crate::tasks::Tasks;

/// Bytes of replies that are given again without being looked up. They share their bodies with the
/// cache, so most of them cost nothing more.
const READY_BYTES: usize = 16 * 1024 * 1024;

/// For what blocks: git, files, the rendering of what was never rendered. Each one keeps memory of
/// its own.
const BLOCKING_THREADS: usize = 16;

/// What the server runs on.
///
/// # Errors
/// When the system gives no threads or no event queue.
pub fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(BLOCKING_THREADS)
        .enable_all()
        .build()
}

/// Why the server does not run, or did not end well.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    #[error("the file of state cannot be opened (`config-bus.data-dir`)")]
    Journal(#[from] JournalError),
    #[error("the keys of `encrypt.*` cannot be used")]
    Keys(#[from] KeysError),
    #[error(transparent)]
    Transport(#[from] BrokerFault),
    #[error(transparent)]
    Store(#[from] OpenError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("the listener failed")]
    Listener(#[source] io::Error),
    #[error("a task ended on its own: {0}")]
    TaskEnded(String),
}

/// Everything that answers requests.
struct Assembled {
    keys: Arc<Keys>,
    store: Arc<Store>,
    change: Arc<Change>,
    joined: Joined,
    stopping: Stopping,
}

/// Serves on `listener` by `settings` until `stop`, or until a shutdown event that is obeyed, then
/// stops in order.
///
/// # Errors
/// [`StartError`] when it cannot start, or a part of it failed.
pub async fn run(listener: TcpListener, settings: Settings, stop: CancellationToken) -> Result<(), StartError> {
    let (tasks, stages) = (Tasks::default(), Stages::default());
    let outcome = serve(listener, &settings, &stop, &tasks, &stages).await;
    // A start that failed half-way leaves tasks behind, too.
    stages.cancel_all();
    stopping::wait("ending the remaining tasks", tasks.ended_all()).await;
    outcome?;
    match tasks.first_failed() {
        Some(task) => Err(StartError::TaskEnded(task)),
        None => Ok(()),
    }
}

async fn serve(
    listener: TcpListener,
    settings: &Settings,
    stop: &CancellationToken,
    tasks: &Tasks,
    stages: &Stages,
) -> Result<(), StartError> {
    let tls = start_tls(settings, tasks, stages)?;
    let assembled = Assembled::start(settings, tasks, stages).await?;
    let front = Front::new(assembled.parts(settings, tasks));
    let server = Server::new(&settings.http, tls);
    if let Ok(address) = listener.local_addr() {
        info!(%address, bus.id = %settings.change.bus_id, "serving");
    }
    let serving = server.run(listener, front, stages.accepting.clone());
    let mut serving = std::pin::pin!(serving);
    let served = tokio::select! {
        served = serving.as_mut() => served,
        () = told_to_stop(stop, &assembled.change, tasks) => {
            assembled.stopping.begin();
            stages.accepting.cancel();
            serving.await
        }
    };
    if let Ok(Drained::Cut(connections)) = served {
        tracing::warn!(connections, "requests did not finish in time and were cut");
    }
    stages.stop_workers(&assembled.change, tasks).await;
    served.map(drop).map_err(StartError::Listener)
}

async fn told_to_stop(stop: &CancellationToken, change: &Change, tasks: &Tasks) {
    tokio::select! {
        () = stop.cancelled() => info!("stopping"),
        () = change.shutdown().asked() => info!("stopping"),
        () = tasks.failed() => {}
    }
}

fn start_tls(settings: &Settings, tasks: &Tasks, stages: &Stages) -> Result<Option<Arc<Tls>>, TlsError> {
    let Some(settings) = &settings.http.tls else {
        return Ok(None);
    };
    let tls = Arc::new(Tls::load(settings.clone())?);
    tasks.spawn(
        "certificate",
        &stages.accepting,
        Arc::clone(&tls).follow_files(stages.accepting.clone()),
    );
    Ok(Some(tls))
}

impl Assembled {
    /// From the bottom up: the log of moves, the bus, the store that writes into the log, and last
    /// the publisher that reads from it.
    async fn start(settings: &Settings, tasks: &Tasks, stages: &Stages) -> Result<Self, StartError> {
        let keys = Arc::new(settings.encrypt.keys(&Disk)?);
        let change = Change::open(settings.change.clone()).await?;
        let mut joined = Joined::join(settings, tasks, stages)?;
        let log: Arc<dyn HeadLog> = Arc::clone(&change) as _;
        let store = Store::open(&settings.backend, log, tasks, stages.refreshing.clone()).await?;
        let (transport, nearby) = (Arc::clone(&joined.transport), joined.nearby.clone());
        change.start(transport, nearby, tasks, &stages.publishing);
        if let Some(inbound) = joined.inbound.take() {
            let (change, store, hub) = (Arc::clone(&change), Arc::clone(&store), Arc::clone(&joined.hub));
            Ears::start(change, store, hub, inbound, tasks, &stages.refreshing);
        }
        Ok(Self {
            keys,
            store,
            change,
            joined,
            stopping: Stopping::default(),
        })
    }

    fn parts(&self, settings: &Settings, tasks: &Tasks) -> Parts {
        let configuration = configuration(settings, Arc::clone(&self.store), Arc::clone(&self.keys));
        let reader = Arc::clone(&configuration.reader);
        let mut registry = prometheus_client::registry::Registry::default();
        let metrics = Arc::new(Metrics::new(&mut registry));
        registry.register_collector(Box::new(Gathered {
            store: Arc::clone(&self.store),
            change: Arc::clone(&self.change),
            reader: Arc::clone(&reader),
            bus: self.joined.state(),
            heard: self.joined.heard.clone(),
        }));
        let base = &settings.management.base_path;
        let open = vec![format!("{base}/health"), "/live".to_owned(), "/ready".to_owned()];
        let guard = Guard::new(settings.http.user.as_ref(), open);
        Parts {
            actuator: Arc::new(Actuator {
                settings: settings.management.clone(),
                health: settings.serving.health.clone(),
                profiles: settings.profiles.clone(),
                written: Arc::clone(&settings.shown),
                rules: configuration.rules,
                guard: guard.clone(),
                expects_heads: has_fixed_head(&settings.backend),
                store: Arc::clone(&self.store),
                reader,
                change: Arc::clone(&self.change),
                bus: self.joined.state(),
                hearing: self.joined.heard.as_ref().map(|heard| heard.state.clone()),
                tasks: tasks.clone(),
                registry,
                stopping: self.stopping.clone(),
            }),
            bus: self.joined.announces.then(|| BusState {
                store: Arc::clone(&self.store),
                change: Arc::clone(&self.change),
                hub: Arc::clone(&self.joined.hub),
                monitor: Arc::new(settings.monitor.clone()),
            }),
            guard,
            configuration,
            metrics,
            body_limit: settings.http.body_limit,
        }
    }
}

/// Spring's configuration routes over `store`.
pub(crate) fn configuration(settings: &Settings, store: Arc<Store>, keys: Arc<Keys>) -> Configuration {
    let serving = &settings.serving;
    let encryption = Encryption {
        keys: Arc::clone(&keys),
        enabled: settings.encrypt.enabled,
        plain_files: settings.encrypt.plain_text,
        prefix_invalid: settings.encrypt.prefix_invalid,
    };
    let reading = Rules::new(serving, &settings.backend, encryption);
    Configuration {
        reader: Arc::new(Reader::new(store, reading, serving.cache_bytes)),
        ready: Arc::new(ReadyReplies::new(READY_BYTES)),
        keys,
        rules: query::Rules {
            validate_profiles: serving.validate_profiles,
            applications: serving.max_applications,
            profiles: serving.max_profiles,
        },
        body_limit: settings.http.body_limit,
        prefix: settings.http.prefix.as_str().into(),
    }
}

/// Whether a head is known before anybody asks: one that a request's names decide is not.
fn has_fixed_head(backend: &Backend) -> bool {
    match backend {
        Backend::Git(git) => git.clone_on_start && !git.uri.contains('{'),
        Backend::Native(_) => false,
        Backend::Composite { members, .. } => members.iter().any(has_fixed_head),
    }
}
