//! A head moved: write it down, make the notice, put it on the bus, and hear how it went.
//!
//! - [`journal`]: the one file of state, where a move and its event are written together
//! - [`notice`], [`links`]: from two snapshots to the message that says whom the move touches (pure)
//! - [`publisher`]: from the outbox to the bus, until it is confirmed
//! - [`delivery`]: who is expected to answer, and who has
//! - [`inbound`]: what other members put on the bus
//! - [`shutdown`]: events that ask this server to end
//!
//! [`Change`] is the face of all of it: the store writes head moves through it, the doors put
//! operators' events into it, the routes read the reports.

pub mod clock;

pub mod journal;

pub mod links;
pub mod notice;
mod spread;

pub mod publisher;

pub mod delivery;

pub mod inbound;

pub mod shutdown;

mod head_log;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bus::EventTransport;
use contract::delivery::EventState;
use contract::{BusEvent, CommitId, Destination, EventId, EventKind, Label, Message};
use tokio_util::sync::CancellationToken;

use self::clock::{Clock, millis};
use self::delivery::{Delivery, Drift};
use self::journal::{Journal, JournalError, Origin, StoredEvent};
use self::links::Memory;
use self::notice::Sender;
use self::publisher::{Bell, Progress, Publisher};
use self::shutdown::Shutdown;
use self::spread::{FETCHES, REPORTS};
use crate::settings::ChangeSettings;
use crate::store::Cause;
use crate::tasks::Tasks;

/// Head moves, events and reports of one server.
#[derive(Debug)]
pub struct Change {
    settings: ChangeSettings,
    clock: Clock,
    journal: Journal,
    delivery: Delivery,
    bell: Arc<Bell>,
    shutdown: Shutdown,
    links: Mutex<Memory>,
}

impl Change {
    /// Opens the journal, and puts the event of every move that lost its own back into the outbox.
    ///
    /// # Errors
    /// [`JournalError`] when the journal cannot be opened.
    pub async fn open(settings: ChangeSettings) -> Result<Arc<Self>, JournalError> {
        let journal = Journal::open(settings.database.clone()).await?;
        Self::over(journal, settings, Clock::default()).await
    }

    /// The same over a journal that is open.
    ///
    /// # Errors
    /// [`JournalError`] when the journal cannot be read or written.
    pub async fn over(journal: Journal, settings: ChangeSettings, clock: Clock) -> Result<Arc<Self>, JournalError> {
        let rederived = journal.rederive(sender(&settings, 0)).await?;
        if rederived > 0 {
            tracing::warn!(
                events = rederived,
                "head moves without an event: put back into the outbox"
            );
        }
        let delivery = Delivery::open(journal.clone(), settings.agent_ttl).await?;
        let shutdown = Shutdown::new(&settings, clock.now());
        Ok(Arc::new(Self {
            settings,
            clock,
            journal,
            delivery,
            bell: Arc::new(Bell::default()),
            shutdown,
            links: Mutex::new(Memory::default()),
        }))
    }

    /// Starts the workers: the publisher to `transport`, and the writer of reports. `nearby` is the
    /// in-process transport, when `transport` is a broker.
    pub fn start(
        &self,
        transport: Arc<dyn EventTransport>,
        nearby: Option<Arc<dyn EventTransport>>,
        tasks: &Tasks,
        stop: &CancellationToken,
    ) {
        let publisher = Publisher {
            journal: self.journal.clone(),
            delivery: self.delivery.clone(),
            transport,
            nearby,
            bell: self.bell.clone(),
            shutdown: self.shutdown.clone(),
            kept: self.settings.reports_kept,
        };
        tasks.spawn("publisher", stop, publisher.run(stop.clone()));
        tasks.spawn("reports", stop, self.delivery.clone().write(stop.clone()));
    }

    /// Puts an operator's event into the outbox.
    ///
    /// # Errors
    /// [`JournalError`] when it cannot be written down; then nothing is published.
    pub async fn announce(
        &self,
        destination: Destination,
        kind: EventKind,
        cause: Cause,
    ) -> Result<StoredEvent, JournalError> {
        let created = self.clock.now();
        let event = BusEvent {
            kind,
            ..BusEvent::refresh(EventId::random(), created, &self.settings.bus_id, destination)
        };
        let origin = Origin {
            cause,
            created,
            expires: Some(created.saturating_add(millis(self.settings.expiry))),
            state: EventState::Queued,
        };
        let message = Message { event, notice: None };
        let added = self.journal.add(message, origin, self.settings.reports_kept).await?;
        let added = added.expect("a random id is new");
        self.queued(&added);
        Ok(added)
    }

    /// Waits until the publisher has done what it could about what is queued now, at most for
    /// `limit`: what has not left then waits for the bus.
    pub async fn flush(&self, limit: Duration) -> Progress {
        let ring = self.bell.ring();
        self.bell.answered(ring, limit).await
    }

    /// How far the publisher is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.bell.progress()
    }

    /// The event of the head move of `label` to `commit`, when it has one.
    ///
    /// # Errors
    /// [`JournalError`] when the journal cannot be read.
    pub async fn event_of_move(
        &self,
        repository: &str,
        label: &Label,
        commit: &CommitId,
    ) -> Result<Option<StoredEvent>, JournalError> {
        self.journal.event_of_move(repository, label, commit).await
    }

    /// The delivery reports and the agents.
    #[must_use]
    pub fn delivery(&self) -> &Delivery {
        &self.delivery
    }

    /// Applications whose agents have run different configurations for too long at `now`
    /// (`config-bus.drift-after`).
    #[must_use]
    pub fn drifting(&self, now: u64) -> Vec<Drift> {
        let mut drift = self.delivery.drift(now);
        drift.retain(|drift| now.saturating_sub(drift.since) > millis(self.settings.drift_after));
        drift
    }

    /// Shutdown events that name this server.
    #[must_use]
    pub fn shutdown(&self) -> &Shutdown {
        &self.shutdown
    }

    /// This server on the bus.
    #[must_use]
    pub fn settings(&self) -> &ChangeSettings {
        &self.settings
    }

    fn queued(&self, event: &StoredEvent) {
        self.delivery.expect(event);
        self.bell.ring();
    }
}

fn sender(settings: &ChangeSettings, agents: usize) -> Sender {
    let limit = millis(settings.spread);
    Sender {
        bus_id: settings.bus_id.clone(),
        spread_millis: FETCHES.window_millis(agents, limit),
        report_spread_millis: REPORTS.window_millis(agents, limit),
    }
}
