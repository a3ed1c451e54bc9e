//! The `native` backend: directories of the server's disk, read into the same tree as a commit.
//!
//! They are watched, and looked through every few seconds all the same; a reader never touches the
//! disk. A digest of everything in them stands in for the commit.

mod disk;

use std::future::pending;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use contract::{CommitId, Label};
use notify::RecursiveMode;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use self::disk::{Disk, DiskError};
use super::changes::Changes;
use super::head_log::Cause;
use super::heads::{Head, Heads};
use super::outcome::{HeadOutcome, RefreshFailure, RefreshOutcome};
use super::repository::Surroundings;
use super::source::{Choice, Picked};
use super::upstream::{Contacted, Upstream};
use crate::engine::query::Query;
use crate::engine::resolve::Layout;
use crate::git::Loaded;
use crate::settings::NativeSettings;

/// What the directories are called in the log and in reports: their paths are the server's affair.
const NAME: &str = "native";
/// Several files change together; the look waits until they are quiet.
const QUIET: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_millis(500);
const ORDERS: usize = 256;

/// Why the directories cannot be served.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NativeError {
    #[error("spring.cloud.config.server.native.search-locations: only `file:` locations can be served")]
    Location,
    #[error("spring.cloud.config.server.native.search-locations: no location is given")]
    NoLocation,
    #[error("spring.cloud.config.server.native.default-label: this is no label")]
    Label,
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// The directories and what was last read from them.
#[derive(Debug)]
pub(super) struct NativeSource {
    shared: Arc<Shared>,
    orders: mpsc::Sender<Order>,
    version: Option<String>,
}

#[derive(Debug)]
struct Shared {
    heads: Heads,
    label: Label,
    disk: Mutex<Disk>,
    contact: Mutex<Contact>,
    tracker: TaskTracker,
}

#[derive(Debug)]
struct Contact {
    succeeded: Instant,
    error: Option<String>,
    /// When the last look began all of whose finds are served.
    seen: Option<Instant>,
}

#[derive(Debug)]
struct Order {
    cause: Cause,
    done: oneshot::Sender<RefreshOutcome>,
}

impl NativeSource {
    pub(super) async fn open(settings: &NativeSettings, surroundings: &Surroundings) -> Result<Arc<Self>, NativeError> {
        let roots = roots(&settings.search_locations)?;
        let layout = Layout::Native {
            locations: settings.search_locations.clone().into(),
            add_label_locations: settings.add_label_locations,
        };
        let shared = Arc::new(Shared {
            heads: Heads::new(
                NAME.into(),
                layout,
                surroundings.log.clone(),
                surroundings.generation.clone(),
            ),
            label: settings.default_label.parse().map_err(|_| NativeError::Label)?,
            disk: Mutex::new(Disk::new(roots.clone(), settings.limits, settings.fail_on_error)),
            contact: Mutex::new(Contact {
                succeeded: Instant::now(),
                error: None,
                seen: None,
            }),
            tracker: surroundings.tasks.tracker().clone(),
        });
        let first = shared.read().await?;
        shared.place(first, Cause::Start).await;
        let (orders, queue) = mpsc::channel(ORDERS);
        let stop = surroundings.stop.clone();
        let watching = shared.clone();
        // No faster than a look that waits for quiet.
        let look_every = settings.look_every.max(QUIET);
        surroundings.tasks.spawn("directories", &surroundings.stop, async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = follow(watching, roots, look_every, queue) => {}
            }
        });
        Ok(Arc::new(Self {
            shared,
            orders,
            version: settings.version.clone(),
        }))
    }

    /// There is one head; the label only chooses directories in it.
    pub(super) fn pick(self: &Arc<Self>, query: &Query) -> Picked {
        let head = self.shared.heads.get(self.shared.label.as_str());
        let head = head.expect("placed when the source was opened, and never removed");
        let label = query.label.as_deref().unwrap_or(self.shared.label.as_str());
        Picked::native(
            Choice {
                upstream: self.clone(),
                head,
                label: label.into(),
            },
            self.version.clone(),
        )
    }
}

#[async_trait]
impl Upstream for NativeSource {
    fn heads(&self) -> &Heads {
        &self.shared.heads
    }

    async fn look(&self, cause: Cause) -> RefreshOutcome {
        let (done, looked) = oneshot::channel();
        // Ended: nothing to tell.
        let _ = self.orders.send(Order { cause, done }).await;
        looked.await.unwrap_or_default()
    }

    /// A state of directories has no history.
    async fn holds(&self, head: &Head, wanted: &CommitId) -> bool {
        head.commit() == wanted
    }

    fn contact(&self) -> Contacted {
        let contact = self.shared.contact.lock().unwrap_or_else(PoisonError::into_inner);
        Contacted {
            age: contact.succeeded.elapsed(),
            error: contact.error.clone(),
            seen: contact.seen,
        }
    }
}

impl Shared {
    async fn read(self: &Arc<Self>) -> Result<Loaded, DiskError> {
        let shared = self.clone();
        let reading = self
            .tracker
            .spawn_blocking(move || shared.disk.lock().unwrap_or_else(PoisonError::into_inner).read());
        reading.await.unwrap_or(Err(DiskError::Interrupted))
    }

    async fn place(&self, loaded: Loaded, cause: Cause) -> Arc<Head> {
        let standing = self.heads.get(self.label.as_str());
        let before = standing.as_ref().map(|head| head.current.snapshot.clone());
        let earlier = standing.map(|head| head.states()).unwrap_or_default();
        self.heads.place(&self.label, loaded, earlier, before, cause).await
    }

    async fn look(self: &Arc<Self>, cause: Cause) -> RefreshOutcome {
        let (began, standing) = (Instant::now(), self.heads.get(self.label.as_str()));
        let read = self.read().await;
        self.note(read.as_ref().err());
        let mut failures = Vec::new();
        let now = match read {
            Ok(loaded)
                if standing
                    .as_ref()
                    .is_some_and(|head| *head.commit() == loaded.snapshot.commit) =>
            {
                self.heads.write_down_missed(cause).await;
                self.heads.get(self.label.as_str())
            }
            Ok(loaded) => {
                debug!(commit.id = %loaded.snapshot.commit, cause = ?cause, "the directories changed");
                Some(self.place(loaded, cause).await)
            }
            Err(error) => {
                warn!(%error, "the directories could not be read");
                failures.push(RefreshFailure {
                    repository: NAME.into(),
                    message: error.to_string(),
                });
                standing.clone()
            }
        };
        if failures.is_empty() {
            self.serves(began);
        }
        let previous = standing.map(|head| head.commit().clone());
        let heads = now.map(|now| HeadOutcome {
            repository: NAME.into(),
            label: now.label.clone(),
            commit: now.commit().clone(),
            previous: previous.filter(|previous| previous != now.commit()),
            moved: now.moved.clone(),
        });
        RefreshOutcome {
            heads: heads.into_iter().collect(),
            failures,
        }
    }

    fn serves(&self, began: Instant) {
        self.contact.lock().unwrap_or_else(PoisonError::into_inner).seen = Some(began);
    }

    fn note(&self, error: Option<&DiskError>) {
        let mut contact = self.contact.lock().unwrap_or_else(PoisonError::into_inner);
        contact.error = error.map(ToString::to_string);
        if error.is_none() {
            contact.succeeded = Instant::now();
        }
    }
}

/// Looks whenever it is asked to, something changes, or time has passed.
async fn follow(shared: Arc<Shared>, roots: Vec<PathBuf>, look_every: Duration, mut orders: mpsc::Receiver<Order>) {
    let changes = changes(&roots)
        .inspect_err(|error| debug!(%error, "the directories are only polled"))
        .ok();
    let mut tick = interval(look_every);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let mut waiting = Vec::new();
        let cause = tokio::select! {
            order = orders.recv() => match order {
                Some(order) => {
                    waiting.push(order.done);
                    order.cause
                }
                None => return,
            },
            () = settled(changes.as_ref()) => Cause::Watch,
            _ = tick.tick() => Cause::Tick,
        };
        // Everybody who asked before this look starts shares it.
        while let Ok(order) = orders.try_recv() {
            waiting.push(order.done);
        }
        let outcome = shared.look(cause).await;
        for done in waiting {
            // Whoever asked may have gone.
            let _ = done.send(outcome.clone());
        }
    }
}

fn changes(roots: &[PathBuf]) -> Result<Changes, notify::Error> {
    let mut changes = Changes::new(|_| true)?;
    for root in roots.iter().filter(|root| root.is_dir()) {
        changes.watch(root, RecursiveMode::Recursive)?;
    }
    Ok(changes)
}

async fn settled(changes: Option<&Changes>) {
    match changes {
        Some(changes) => changes.settled(QUIET, LONGEST).await,
        None => pending().await,
    }
}

/// The directory of each location: up to the first name with a placeholder or a pattern in it.
fn roots(locations: &[String]) -> Result<Vec<PathBuf>, NativeError> {
    if locations.is_empty() {
        return Err(NativeError::NoLocation);
    }
    locations.iter().map(|location| root(location)).collect()
}

fn root(location: &str) -> Result<PathBuf, NativeError> {
    let path = location.strip_prefix("file:").ok_or(NativeError::Location)?;
    let path = match path.strip_prefix("//") {
        Some(rest) => rest.strip_prefix("localhost").unwrap_or(rest),
        None => path,
    };
    let (fixed, _) = Layout::fixed_part(path);
    if fixed.trim_matches('/').is_empty() {
        // Never the whole disk.
        return Err(NativeError::Location);
    }
    Ok(Path::new(fixed).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_read_from_its_fixed_part() {
        let cases = [
            ("file:/etc/config/", "/etc/config/"),
            ("file:///etc/config", "/etc/config"),
            ("file:/etc/config/{application}/{profile}", "/etc/config/"),
            ("file:/etc/config/team-{application}", "/etc/config/"),
            ("file:./config/*/", "./config/"),
        ];
        for (location, path) in cases {
            assert_eq!(root(location).expect(location), PathBuf::from(path));
        }
        for location in ["classpath:/config", "/etc/config", "file:/", "file:/{application}"] {
            assert!(root(location).is_err(), "{location}");
        }
    }
}
