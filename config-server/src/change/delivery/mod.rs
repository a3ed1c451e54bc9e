//! Who runs what, and how each event went.
//!
//! Reports and acks come in, the answer to "has everybody got it?" goes out. [`agents`] (with
//! [`census`], [`drift`] and [`page`]), [`round`] and [`tally`] are pure; this face keeps them behind
//! one lock, wakes who waits, and leaves what is to outlive the process to [`writer`].

pub mod ack;
pub mod agents;
pub mod census;
pub mod drift;
pub mod page;
pub mod round;
pub mod tally;

mod state;
mod writer;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use contract::{AgentStatus, BusId, DeliveryReport, EventId, Report};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, timeout_at};

pub use ack::Ack;
pub use census::{Applications, Census, Standing};
pub use drift::Drift;
pub use page::{Page, Wanted};
pub use tally::Tally;

use self::agents::Agents;
use self::round::Round;
use self::state::State;
use super::journal::{Journal, JournalError, StoredEvent};

/// Events that are listed.
const LISTED: usize = 50;
/// How often a report that is not in memory any more is looked at while somebody waits for it.
const LOOK: Duration = Duration::from_millis(250);

/// The delivery reports and the list of agents. A cheap handle.
#[derive(Debug, Clone)]
pub struct Delivery {
    journal: Journal,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Counts what changed in the rounds, for those who wait.
    changed: watch::Sender<u64>,
    /// Wakes the writer.
    unwritten: Notify,
}

impl Delivery {
    /// Takes up what the journal remembers.
    ///
    /// # Errors
    /// [`JournalError`] when the journal cannot be read.
    pub async fn open(journal: Journal, ttl: Duration) -> Result<Self, JournalError> {
        let mut state = State::new(Agents::new(ttl));
        for status in journal.agents(agents::LIMIT).await? {
            state.agents.recall(status);
        }
        for event in journal.recent(round::RECALLED).await?.into_iter().rev() {
            let answers = journal.answers(event.id()).await?;
            state.rounds.open(Round::recalled(event, answers));
        }
        let shared = Shared {
            state: Mutex::new(state),
            changed: watch::Sender::new(0),
            unwritten: Notify::new(),
        };
        Ok(Self {
            journal,
            shared: Arc::new(shared),
        })
    }

    /// A new event: whoever it concerns is expected to answer. Before it is published, so that no
    /// answer comes too early.
    pub fn expect(&self, event: &StoredEvent) {
        self.change(|state| state.expect(event));
    }

    /// The bus has the event.
    pub fn published(&self, id: &EventId, time: u64) {
        self.change(|state| state.rounds.published(id, time));
    }

    /// The event was given up.
    pub fn expired(&self, id: &EventId) {
        self.change(|state| state.rounds.expired(id));
    }

    /// An agent's report, at `time`.
    pub fn heard(&self, report: &Report, time: u64) {
        self.change(|state| state.heard(report, time));
    }

    /// An ack of a Spring application, at `time`.
    pub fn acked(&self, ack: &Ack<'_>, time: u64) {
        self.change(|state| state.acked(ack, time));
    }

    /// The report on the event `id`.
    ///
    /// # Errors
    /// [`JournalError`] when it is not in memory and cannot be read.
    pub async fn report(&self, id: &EventId) -> Result<Option<DeliveryReport>, JournalError> {
        if let Some(report) = self.state().rounds.report(id) {
            return Ok(Some(report));
        }
        let Some(event) = self.journal.event(id).await? else {
            return Ok(None);
        };
        let answers = self.journal.answers(id).await?;
        Ok(Some(Round::recalled(event, answers).report()))
    }

    /// The report on the event `id` once everybody expected has answered, or when `limit` is over.
    ///
    /// # Errors
    /// [`JournalError`] when it is not in memory and cannot be read.
    pub async fn settled(&self, id: &EventId, limit: Duration) -> Result<Option<DeliveryReport>, JournalError> {
        let deadline = Instant::now() + limit;
        let mut changed = self.shared.changed.subscribe();
        let settled = async {
            loop {
                changed.borrow_and_update();
                if self.is_settled(id).await? {
                    return Ok(());
                }
                // The sender lives in `self`.
                let _ = changed.changed().await;
            }
        };
        if let Ok(failed @ Err(_)) = timeout_at(deadline, settled).await {
            return failed.map(|()| None);
        }
        self.report(id).await
    }

    /// The newest events, newest first, without their agents.
    ///
    /// # Errors
    /// [`JournalError`] when they cannot be read.
    pub async fn recent(&self) -> Result<Vec<DeliveryReport>, JournalError> {
        let events = self.journal.recent(LISTED).await?;
        let mut counts = self.journal.summaries(LISTED).await?;
        let state = self.state();
        Ok(events
            .into_iter()
            .map(|event| match state.rounds.overview(event.id()) {
                Some(overview) => overview,
                None => {
                    let summary = counts.remove(&event.number).unwrap_or_default();
                    round::overview(&event, summary)
                }
            })
            .collect())
    }

    /// The newest event and how it goes: see [`Round::outline`].
    #[must_use]
    pub fn newest(&self, each: usize) -> Option<DeliveryReport> {
        self.state().rounds.last().map(|round| round.outline(each))
    }

    /// Every member that is known, by bus id.
    #[must_use]
    pub fn agents(&self) -> Vec<AgentStatus> {
        self.state().agents.list()
    }

    /// Those of them that are wanted, as they stand at `now`.
    #[must_use]
    pub fn page(&self, wanted: &Wanted, now: u64) -> Page {
        self.state().agents.page(wanted, now)
    }

    /// How many members are known.
    #[must_use]
    pub fn agent_count(&self) -> usize {
        self.state().agents.len()
    }

    /// Applications whose agents run different configurations at `now`.
    #[must_use]
    pub fn drift(&self, now: u64) -> Vec<Drift> {
        self.state().agents.drift(now)
    }

    /// Members by how they stand at `now`.
    #[must_use]
    pub fn census(&self, now: u64) -> Census {
        self.state().agents.census(now)
    }

    /// The same by application.
    #[must_use]
    pub fn applications(&self, now: u64) -> Applications {
        self.state().agents.applications(now)
    }

    /// All answers since the start.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.state().tally
    }

    /// Rounds of which more is expected.
    #[must_use]
    pub fn open_rounds(&self) -> usize {
        self.state().rounds.unsettled()
    }

    async fn is_settled(&self, id: &EventId) -> Result<bool, JournalError> {
        if let Some(settled) = self.state().rounds.is_settled(id) {
            return Ok(settled);
        }
        sleep(LOOK).await;
        let report = self.report(id).await?;
        Ok(report.is_none_or(|report| round::is_settled(report.state, report.summary.silent)))
    }

    fn change(&self, apply: impl FnOnce(&mut State)) {
        apply(&mut self.state());
        self.shared.changed.send_modify(|count| *count += 1);
        self.shared.unwritten.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic while it was held has changed single entries at most.
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A bus id as rounds and the list of agents share it.
pub(crate) type Member = Arc<BusId>;

#[cfg(test)]
mod tests;
