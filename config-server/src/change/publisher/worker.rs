//! The task that publishes.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bus::{EventTransport, LinkState, Receipt, TransportError};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::plan::{Moment, Plan, Queued, Step};
use crate::change::clock;
use crate::change::delivery::Delivery;
use crate::change::journal::{Journal, JournalError, StoredEvent};
use crate::change::shutdown::Shutdown;

/// The publisher looks this often, whatever it was told.
const PERIOD: Duration = Duration::from_secs(15);
/// Past the transport's own deadline, so that a transport without one cannot hold up the outbox.
const DEADLINE: Duration = Duration::from_secs(30);
/// Events looked at in one go.
const BATCH: usize = 256;

/// Publishes what the journal's outbox holds.
#[derive(Debug)]
pub struct Publisher {
    pub journal: Journal,
    pub delivery: Delivery,
    pub transport: Arc<dyn EventTransport>,
    /// A second, in-process transport: agents that cannot reach the broker listen to it, so it gets
    /// each event at once, whatever the broker says.
    pub nearby: Option<Arc<dyn EventTransport>>,
    pub bell: Arc<Bell>,
    /// Hears this server's own events once the bus has them, and no sooner: a server that ended
    /// before would keep them to itself until its next start.
    pub shutdown: Shutdown,
    /// Settled events that are kept for the reports.
    pub kept: usize,
}

/// Wakes the publisher, and lets others wait until it has looked.
#[derive(Debug)]
pub struct Bell {
    rung: AtomicU64,
    /// Keeps one ring that comes while nobody waits: register-before-look comes for free.
    notify: Notify,
    progress: watch::Sender<Progress>,
}

/// How far the publisher is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// The last ring it has looked for.
    pub seen: u64,
    /// Events that wait, as far as it looked.
    pub queued: usize,
    /// When the first of them was made, in milliseconds since 1970.
    pub oldest: Option<u64>,
    /// Something keeps them from leaving.
    pub hindered: bool,
}

impl Bell {
    /// Wakes the publisher; the answer is this ring's number.
    pub fn ring(&self) -> u64 {
        let ring = self.rung.fetch_add(1, Ordering::SeqCst) + 1;
        self.notify.notify_one();
        ring
    }

    /// Waits until the publisher has done what it could about `ring`, at most for `limit`.
    pub async fn answered(&self, ring: u64, limit: Duration) -> Progress {
        let mut progress = self.progress.subscribe();
        let seen = timeout(limit, progress.wait_for(|progress| progress.seen >= ring)).await;
        seen.ok()
            .and_then(Result::ok)
            .map_or_else(|| self.progress(), |seen| *seen)
    }

    /// How far the publisher is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        *self.progress.borrow()
    }
}

impl Default for Bell {
    fn default() -> Self {
        Self {
            rung: AtomicU64::new(0),
            notify: Notify::new(),
            progress: watch::channel(Progress::default()).0,
        }
    }
}

impl Publisher {
    /// Runs until `stop`. What is being published then stays queued.
    pub async fn run(self, stop: CancellationToken) {
        let mut plan = Plan::default();
        let mut link = self.transport.state();
        let mut shown = 0;
        loop {
            let until = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                until = self.activate(&mut plan, &mut shown) => until,
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = self.bell.notify.notified() => {}
                () = connected(&mut link) => plan.reconnected(),
                () = sleep_until(until) => {}
            }
        }
    }

    /// Does everything that can be done now; the answer is when to look again. Idempotent.
    async fn activate(&self, plan: &mut Plan, shown: &mut u64) -> Instant {
        loop {
            let ring = self.bell.rung.load(Ordering::SeqCst);
            let events = match self.journal.queued(BATCH).await {
                Ok(events) => events,
                Err(error) => {
                    report(&error);
                    return self.pause(plan, ring, &[], Instant::now() + PERIOD);
                }
            };
            self.show(&events, shown).await;
            let queued: Vec<Queued> = events.iter().map(Queued::from).collect();
            plan.keep(&queued);
            match plan.next(&queued, moment()) {
                Step::Rest => return self.pause(plan, ring, &events, Instant::now() + PERIOD),
                Step::Wait(until) => {
                    let until = until.min(Instant::now() + PERIOD);
                    return self.pause(plan, ring, &events, until);
                }
                Step::Send(number) => self.send(plan, chosen(&events, number)).await,
                Step::Record { number, time } => self.record(plan, chosen(&events, number), time).await,
                Step::Expire(number) => self.expire(plan, chosen(&events, number)).await,
            }
        }
    }

    async fn send(&self, plan: &mut Plan, event: &StoredEvent) {
        let started = Instant::now();
        match publish(&*self.transport, event).await {
            Ok(receipt) => {
                plan.confirmed(event.number, clock::now());
                info!(
                    event.id = %event.id(),
                    heard = receipt.heard,
                    duration_ms = started.elapsed().as_millis(),
                    "published"
                );
            }
            Err(error) => {
                plan.failed(event.number, &error, Instant::now(), fastrand::f64());
                warn!(event.id = %event.id(), attempts = event.attempts + 1, %error, "not published, will be tried again");
                if let Err(error) = self.journal.attempted(event.number).await {
                    report(&error);
                }
            }
        }
    }

    async fn record(&self, plan: &mut Plan, event: &StoredEvent, time: u64) {
        match self.journal.published(event.number, time, self.kept).await {
            Ok(()) => {
                plan.settled(event.number);
                self.delivery.published(event.id(), time);
                self.shutdown.heard(&event.message.event);
            }
            Err(error) => {
                plan.unwritable(Instant::now(), fastrand::f64());
                report(&error);
            }
        }
    }

    async fn expire(&self, plan: &mut Plan, event: &StoredEvent) {
        match self.journal.expired(event.number, self.kept).await {
            Ok(()) => {
                plan.settled(event.number);
                self.delivery.expired(event.id());
                warn!(event.id = %event.id(), attempts = event.attempts, "given up: it waited too long for the bus");
            }
            Err(error) => {
                plan.unwritable(Instant::now(), fastrand::f64());
                report(&error);
            }
        }
    }

    /// Hands what is new to the in-process transport, once: `oldest`, and what waits behind it.
    async fn show(&self, oldest: &[StoredEvent], shown: &mut u64) {
        let Some(nearby) = &self.nearby else { return };
        show_each(&**nearby, oldest, shown).await;
        let mut is_full = oldest.len() == BATCH;
        while is_full {
            match self.journal.queued_past(*shown, BATCH).await {
                Ok(page) => {
                    show_each(&**nearby, &page, shown).await;
                    is_full = page.len() == BATCH;
                }
                Err(error) => return report(&error),
            }
        }
    }

    fn pause(&self, plan: &Plan, ring: u64, events: &[StoredEvent], until: Instant) -> Instant {
        let hindered = plan.is_hindered();
        self.bell.progress.send_replace(Progress {
            seen: ring,
            queued: events.len(),
            oldest: events.first().map(|event| event.created),
            hindered,
        });
        until
    }
}

impl From<&StoredEvent> for Queued {
    fn from(event: &StoredEvent) -> Self {
        Self {
            number: event.number,
            expires: event.expires,
        }
    }
}

async fn publish(transport: &dyn EventTransport, event: &StoredEvent) -> Result<Receipt, TransportError> {
    timeout(DEADLINE, transport.publish(&event.message))
        .await
        .unwrap_or(Err(TransportError::TimedOut))
}

async fn show_each(nearby: &dyn EventTransport, events: &[StoredEvent], shown: &mut u64) {
    for event in events.iter().filter(|event| event.number > *shown) {
        if let Err(error) = nearby.publish(&event.message).await {
            warn!(event.id = %event.id(), %error, "not shown to the agents of this server");
        }
    }
    *shown = events.last().map_or(*shown, |last| last.number.max(*shown));
}

/// Waits for the next time the connection stands.
async fn connected(link: &mut watch::Receiver<LinkState>) {
    loop {
        match link.changed().await {
            Ok(()) if link.borrow_and_update().is_connected() => return,
            Ok(()) => {}
            // A transport that went away comes back with the process.
            Err(_) => pending().await,
        }
    }
}

fn chosen(events: &[StoredEvent], number: u64) -> &StoredEvent {
    let chosen = events.iter().find(|event| event.number == number);
    chosen.expect("the plan chooses among what it was given")
}

fn moment() -> Moment {
    Moment {
        wall: clock::now(),
        steady: Instant::now(),
    }
}

fn report(error: &JournalError) {
    error!(
        error = error as &dyn std::error::Error,
        "the outbox waits for the journal"
    );
}
