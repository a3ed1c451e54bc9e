//! The task: feeds the reconciler and carries out what it says.

mod live;
mod look;
mod start;
mod tell;

use std::collections::VecDeque;
use std::future::{Future, pending};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bus::{Link, Signal};
use contract::EventId;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::debug;

use super::Command;
use super::clock::Clock;
use super::memory::Memory;
use super::offer::Offers;
use super::reporter::Reporter;
use super::starting::Starting;
use super::state::AgentState;
use crate::apply::Applier;
use crate::configuration::Configuration;
use crate::fetch::{FetchError, Fetched, Fetcher};
use crate::follows::Follows;
use crate::reconcile::{Action, Input, Pace, Reconciler};

/// How often the override directory is looked at.
const OVERRIDES_EVERY: Duration = Duration::from_secs(2);

type Fetching = Pin<Box<dyn Future<Output = Result<Fetched, FetchError>> + Send>>;

/// Everything the task owns.
pub(super) struct Task<A> {
    pub(super) follows: Arc<Follows>,
    pub(super) applier: A,
    pub(super) reconciler: Reconciler,
    pub(super) clock: Clock,
    pub(super) fetcher: Arc<Fetcher>,
    pub(super) fetching: Option<Fetching>,
    /// When the last fetch began.
    pub(super) asked: Option<Instant>,
    pub(super) offers: Offers,
    pub(super) overrides: Option<Overrides>,
    pub(super) memory: Option<Memory>,
    pub(super) starting: Option<Starting>,
    /// The shutdown event that asked first.
    pub(super) ended_by: Option<EventId>,
    pub(super) hearing: Option<Hearing>,
    pub(super) reporter: Option<Reporter>,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) state: watch::Sender<AgentState>,
    pub(super) configuration: watch::Sender<Arc<Configuration>>,
    pub(super) tracker: TaskTracker,
}

/// What is heard, and by which way.
pub(super) struct Hearing {
    signals: mpsc::Receiver<Signal>,
    detour: watch::Receiver<bool>,
}

enum Heard {
    /// `None` once there will be no more.
    Signal(Option<Signal>),
    Detour(bool),
}

/// The override directory and when to look at it next.
pub(super) struct Overrides {
    directory: PathBuf,
    due: Instant,
}

impl Overrides {
    pub(super) fn within(directory: PathBuf) -> Self {
        Self {
            directory,
            due: Instant::now() + OVERRIDES_EVERY,
        }
    }
}

impl<A: Applier> Task<A> {
    /// Runs until `stop`, or until the start failed.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        loop {
            let wake = self.clock.at(self.reconciler.wake_at());
            let start_by = self.clock.at(self.starting.as_ref().map(Starting::deadline));
            let overrides_due = self
                .overrides
                .as_ref()
                .map_or(self.clock.at(None), |overrides| overrides.due);
            let memory_due = self.memory.as_ref().and_then(Memory::due);
            let inputs = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                fetched = ended(&mut self.fetching) => self.fetched(fetched),
                heard = heard(&mut self.hearing) => self.heard(heard),
                Some(Command::Refresh) = self.commands.recv() => vec![Input::Asked],
                () = sleep_until(start_by) => self.start_is_late(),
                () = sleep_until(wake) => vec![Input::Due],
                () = sleep_until(overrides_due) => self.look_at_overrides().await,
                () = sleep_until(memory_due.unwrap_or(overrides_due)), if memory_due.is_some() => {
                    self.remember().await;
                    Vec::new()
                }
            };
            self.step(inputs).await;
            if self.starting.as_ref().is_some_and(Starting::has_failed) {
                break;
            }
        }
        self.farewell().await;
    }

    async fn step(&mut self, inputs: Vec<Input>) {
        let mut inputs = VecDeque::from(inputs);
        while let Some(input) = inputs.pop_front() {
            for action in self.reconciler.step(self.clock.now(), input) {
                inputs.extend(self.carry_out(action).await);
            }
        }
        // Told only now, so that what is live is remembered too.
        if self.offers.served().is_some()
            && let Some(starting) = self.starting.take()
        {
            starting.succeeded();
        }
        let failures = self.reconciler.failures();
        self.state
            .send_if_modified(|state| std::mem::replace(&mut state.failures, failures) != failures);
    }

    async fn carry_out(&mut self, action: Action) -> Vec<Input> {
        match action {
            Action::Fetch(ask) => self.fetch(ask),
            Action::Apply(digest) => return self.apply(&digest).await,
            Action::Persist => self.persist().await,
            Action::Pin(values) => return self.offers.pin(values).into_iter().map(Input::Local).collect(),
            Action::Report(ended) => self.report(ended),
            Action::Shutdown { event, origin, verdict } => self.shutdown(event, &origin, verdict),
        }
        Vec::new()
    }

    fn heard(&mut self, heard: Heard) -> Vec<Input> {
        match heard {
            Heard::Detour(open) => {
                self.state.send_modify(|state| state.detour = open);
                Vec::new()
            }
            Heard::Signal(signal) => self.signalled(signal),
        }
    }

    fn signalled(&mut self, signal: Option<Signal>) -> Vec<Input> {
        match signal {
            Some(Signal::Connected) => {
                self.connection(true);
                vec![Input::Connected]
            }
            Some(Signal::Received(message)) => {
                debug!(event.id = %message.event.id, "heard an event");
                self.state
                    .send_modify(|state| state.last_notice = Some(SystemTime::now()));
                vec![Input::Heard(message)]
            }
            Some(Signal::Lost(reason)) => {
                debug!(reason, "the bus is gone");
                self.connection(false);
                vec![Input::Lost]
            }
            Some(Signal::Rejected(reason)) => {
                debug!(reason, "dropped a message that is no event");
                self.state.send_modify(|state| state.rejected_total += 1);
                Vec::new()
            }
            Some(_) => Vec::new(),
            None => {
                self.hearing = None;
                self.connection(false);
                Vec::new()
            }
        }
    }

    fn connection(&self, connected: bool) {
        self.state.send_modify(|state| {
            state.connected = connected;
            state.since = Some(SystemTime::now());
        });
    }
}

async fn ended(fetching: &mut Option<Fetching>) -> Result<Fetched, FetchError> {
    match fetching {
        Some(fetching) => fetching.await,
        None => pending().await,
    }
}

async fn heard(hearing: &mut Option<Hearing>) -> Heard {
    match hearing {
        Some(Hearing { signals, detour }) => tokio::select! {
            signal = signals.recv() => Heard::Signal(signal),
            Ok(()) = detour.changed() => Heard::Detour(*detour.borrow_and_update()),
        },
        None => pending().await,
    }
}

/// Splits a link into what is heard and where reports go.
pub(super) fn split(link: Option<Link>, tracker: &TaskTracker, pace: Pace) -> (Option<Hearing>, Option<Reporter>) {
    match link {
        None => (None, None),
        Some(link) => {
            let hearing = Hearing {
                signals: link.signals,
                detour: link.detour,
            };
            (Some(hearing), Some(Reporter::start(link.reports, tracker, pace)))
        }
    }
}
