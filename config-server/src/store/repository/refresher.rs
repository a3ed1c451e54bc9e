//! The one task that moves the heads of a repository. It is woken by orders and by the clock, and
//! looks at the remote whatever the reason; the fetch itself runs on the worker's thread, so the task
//! goes on answering meanwhile.

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::Shared;
use super::rounds::Rounds;
use crate::git::worker::OrderKind;
use crate::git::{Failure, Fetcher, GitError, RefTable};
use crate::settings::backend::Freshness;
use crate::store::head_log::Cause;
use crate::store::heads::Head;
use crate::store::outcome::RefreshOutcome;
use crate::store::view::ViewError;

mod settling;

/// A watched directory is looked at this often all the same.
const LOCAL_TICK: Duration = Duration::from_secs(2);
/// A mirror is made anew at most this often: the remote itself may be damaged.
const RENEWAL: Duration = Duration::from_secs(60);

/// What the refresher is asked to do.
#[derive(Debug)]
pub(super) enum Order {
    Look {
        cause: Cause,
        done: oneshot::Sender<RefreshOutcome>,
    },
    /// The directory of a local remote changed.
    Changed,
    Follow {
        label: String,
        /// The mirror was asked just now: it is no commit there.
        no_commit: bool,
        done: oneshot::Sender<Result<Arc<Head>, ViewError>>,
    },
    /// Nobody wants the repository any longer. `done` when its mirror has left the disk.
    Discard { done: oneshot::Sender<()> },
}

/// Who waits for a look.
#[derive(Debug)]
enum Waiter {
    Look(oneshot::Sender<RefreshOutcome>),
    Follow {
        label: String,
        done: oneshot::Sender<Result<Arc<Head>, ViewError>>,
    },
}

type Fetching = Pin<Box<dyn Future<Output = Result<RefTable, GitError>> + Send + Sync>>;

pub(super) struct Refresher {
    shared: Arc<Shared>,
    fetcher: Arc<Fetcher>,
    orders: mpsc::Receiver<Order>,
    rounds: Rounds<Waiter>,
    fetching: Option<Fetching>,
    /// When that began.
    began: Instant,
    /// Reading the mirror failed in a way that only a fresh clone mends.
    damaged: bool,
    renewed: Option<Instant>,
    /// The labels followed before the start are followed again.
    recalled: bool,
    /// The repository has given way: there are no looks any more.
    discarded: bool,
}

impl Refresher {
    pub(super) fn new(shared: Arc<Shared>, fetcher: Fetcher, orders: mpsc::Receiver<Order>) -> Self {
        Self {
            shared,
            fetcher: Arc::new(fetcher),
            orders,
            rounds: Rounds::new(),
            fetching: None,
            began: Instant::now(),
            damaged: false,
            renewed: None,
            recalled: false,
            discarded: false,
        }
    }

    /// Serves the default label out of the mirror on disk, before the remote is asked.
    pub(super) async fn warm_up(&mut self) {
        let shared = self.shared.clone();
        let read = self.shared.tracker.spawn_blocking(move || shared.mirror.refs()).await;
        match read {
            Ok(Ok(Some(refs))) => {
                self.shared.refs.store(Some(Arc::new(refs)));
                let label = self.shared.settings.default_label.clone();
                // What fails here is tried again, and reported, by the first look.
                let _ = self.follow(&label, Cause::Start).await;
            }
            Ok(Ok(None)) => {}
            Ok(Err(failure)) => self.hurt(&failure),
            Err(_) => self.damaged = true,
        }
        self.rounds.order(Cause::Start, None);
    }

    /// Runs until `stop`, or until nobody can give orders any longer.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut tick = self.period().map(|period| {
            let mut tick = interval_at(Instant::now() + period, period);
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            tick
        });
        loop {
            self.start_next().await;
            let rested = self.rested();
            tokio::select! {
                // Orders come last: strangers can keep their queue full.
                biased;
                () = stop.cancelled() => break,
                fetched = ended(&mut self.fetching) => self.settle(fetched).await,
                () = ticked(&mut tick) => self.rounds.order(Cause::Tick, None),
                () = rested => {}
                order = self.orders.recv() => match order {
                    Some(order) => self.take(order).await,
                    None => break,
                },
            }
        }
    }

    fn period(&self) -> Option<Duration> {
        match self.shared.settings.freshness {
            Freshness::Background(period) if self.shared.local.is_some() => Some(period.min(LOCAL_TICK)),
            Freshness::Background(period) => Some(period.max(Duration::from_millis(1))),
            Freshness::Strict | Freshness::Manual => None,
        }
    }

    async fn start_next(&mut self) {
        let rested = self.discarded || self.shared.contact().rested(Instant::now());
        if !self.rounds.start(rested) {
            return;
        }
        if self.discarded {
            self.give_up().await;
        } else {
            self.fetch();
        }
    }

    /// Ends when a look that is held may start.
    fn rested(&self) -> impl Future<Output = ()> + use<> {
        let at = self.shared.contact().rested_at().filter(|_| self.rounds.is_held());
        async move {
            match at {
                Some(at) => sleep_until(at).await,
                None => pending().await,
            }
        }
    }

    fn fetch(&mut self) {
        let kind = if self.damaged && self.may_renew() {
            self.renewed = Some(Instant::now());
            OrderKind::CloneAnew
        } else {
            OrderKind::Fetch
        };
        let fetcher = self.fetcher.clone();
        self.began = Instant::now();
        self.fetching = Some(Box::pin(async move { fetcher.order(kind).await }));
    }

    async fn take(&mut self, order: Order) {
        match order {
            Order::Look { cause, done } if self.is_ordered(cause) => self.rounds.order(cause, Some(Waiter::Look(done))),
            Order::Look { done, .. } => self.rounds.want(Waiter::Look(done)),
            Order::Changed => self.rounds.order(Cause::Watch, None),
            Order::Follow { label, no_commit, done } => self.begin_to_follow(label, no_commit, done).await,
            Order::Discard { done } => self.discard(done).await,
        }
    }

    /// Any stranger can read; with strict freshness the operator wants a look for each.
    fn is_ordered(&self, cause: Cause) -> bool {
        cause != Cause::Read || self.shared.settings.freshness == Freshness::Strict
    }

    /// Whoever waits is told, now and from here on, that there is nothing to wait for.
    async fn discard(&mut self, done: oneshot::Sender<()>) {
        self.discarded = true;
        if self.fetching.is_some() {
            self.give_up().await;
        }
        self.start_next().await;
        if let Err(error) = self.fetcher.discard().await {
            warn!(%error, "a mirror that nobody uses cannot be removed");
        }
        // Whoever discards may have gone.
        let _ = done.send(());
    }

    /// Ends the running look without an answer from the remote.
    async fn give_up(&mut self) {
        let gone = GitError {
            remote: self.shared.heads.repository.clone(),
            failure: Failure::Displaced,
        };
        self.settle(Err(gone)).await;
    }

    /// Answers at once what the mirror can answer; otherwise the remote is asked first.
    async fn begin_to_follow(
        &mut self,
        label: String,
        no_commit: bool,
        done: oneshot::Sender<Result<Arc<Head>, ViewError>>,
    ) {
        let known = self.shared.refs.load().is_some();
        let worth_a_look = self.shared.contact().worth_a_look(Instant::now(), &label);
        let is_unknown = no_commit && self.shared.known(&label).is_none() && self.shared.find(&label).is_none();
        let followed = match is_unknown {
            true => Ok(None),
            false => self.follow(&label, Cause::Read).await,
        };
        let waiter = match followed {
            Err(failure) if failure.is_damage() && self.may_renew() => Waiter::Follow { label, done },
            Ok(None) if worth_a_look || (!known && self.fetching.is_some()) => Waiter::Follow { label, done },
            followed => {
                let answer = self.answer(&label, followed);
                // The reader may have gone.
                let _ = done.send(answer);
                return;
            }
        };
        if known {
            self.rounds.want(waiter);
        } else {
            self.rounds.join(waiter);
        }
    }

    /// The head of `label` out of the mirror; `None` when the mirror does not have it.
    async fn follow(&mut self, label: &str, cause: Cause) -> Result<Option<Arc<Head>>, Failure> {
        if let Some(head) = self.shared.known(label) {
            return Ok(Some(head));
        }
        if self.shared.refs.load().is_none() {
            return Ok(None);
        }
        let followed = match self.shared.find(label) {
            Some((name, commit)) => self.shared.adopt(&name, commit, cause).await,
            None => self.shared.pin(label).await,
        };
        followed.inspect_err(|failure| self.hurt(failure))
    }

    fn hurt(&mut self, failure: &Failure) {
        if failure.is_damage() && !self.damaged {
            warn!(repository = %self.shared.heads.repository, "the mirror is damaged and will be cloned anew");
            self.damaged = true;
            if self.may_renew() {
                self.rounds.order(Cause::Tick, None);
            }
        }
    }

    fn may_renew(&self) -> bool {
        self.renewed.is_none_or(|renewed| renewed.elapsed() > RENEWAL)
    }
}

async fn ended(fetching: &mut Option<Fetching>) -> Result<RefTable, GitError> {
    match fetching {
        Some(fetching) => fetching.await,
        None => pending().await,
    }
}

async fn ticked(tick: &mut Option<tokio::time::Interval>) {
    match tick {
        Some(tick) => {
            tick.tick().await;
        }
        None => pending().await,
    }
}
