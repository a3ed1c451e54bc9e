//! The task: feeds the reconciler and carries out what it says.

use std::collections::VecDeque;
use std::future::{Future, pending};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bus::{Link, Signal};
use contract::{Outcome, Report};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, info, warn};

use super::Command;
use super::clock::Clock;
use super::offer::{Offers, Served};
use super::reporter::Reporter;
use super::starting::{Starting, Verdict};
use super::state::{AgentState, Live, LiveSource, Problem};
use crate::apply::{Applier, Veto};
use crate::causes::explain;
use crate::configuration::{Configuration, KeysChanged, read_overrides};
use crate::fetch::{FetchError, Fetched, Fetcher};
use crate::follows::Follows;
use crate::last_known_good::{LastKnownGood, Remembered};
use crate::reconcile::{Action, Arrived, Ask, Ended, Failed, Input, Looked, Reconciler};

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
    pub(super) offers: Offers,
    pub(super) overrides: Option<Overrides>,
    pub(super) memory: Option<LastKnownGood>,
    pub(super) starting: Option<Starting>,
    pub(super) signals: Option<mpsc::Receiver<Signal>>,
    pub(super) reporter: Option<Reporter>,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) state: watch::Sender<AgentState>,
    pub(super) configuration: watch::Sender<Arc<Configuration>>,
    pub(super) tracker: TaskTracker,
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
            let inputs = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                fetched = ended(&mut self.fetching) => self.fetched(fetched),
                signal = heard(&mut self.signals) => self.signalled(signal),
                Some(Command::Refresh) = self.commands.recv() => vec![Input::Asked],
                () = sleep_until(start_by) => self.start_is_late(),
                () = sleep_until(wake) => vec![Input::Due],
                () = sleep_until(overrides_due) => self.look_at_overrides().await,
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
        }
        Vec::new()
    }

    fn fetch(&mut self, ask: Ask) {
        let fetcher = Arc::clone(&self.fetcher);
        let follows = Arc::clone(&self.follows);
        self.fetching = Some(Box::pin(async move { fetcher.fetch(&follows, &ask).await }));
        self.state.send_modify(|state| state.fetches_total += 1);
    }

    fn fetched(&mut self, fetched: Result<Fetched, FetchError>) -> Vec<Input> {
        self.fetching = None;
        let looked = match fetched {
            Ok(Fetched::NotModified(standing)) => {
                self.confirmed(standing.held, standing.stale);
                Looked::NotModified {
                    version: standing.version,
                    moved: standing.moved,
                    label: standing.label,
                }
            }
            Ok(Fetched::Changed(answer)) => {
                self.confirmed(answer.held.clone(), answer.stale);
                let (label, stale) = (answer.label.clone(), answer.stale.is_some());
                let revision = self.offers.offer(Served::by_server(*answer));
                Looked::Changed(Arrived { revision, label, stale })
            }
            Err(error) => return self.fetch_failed(error),
        };
        vec![Input::Looked(looked)]
    }

    fn confirmed(&self, held: Option<String>, stale: Option<Duration>) {
        self.state.send_modify(|state| {
            state.confirmed = Some(SystemTime::now());
            state.held = held;
            state.remote_stale = stale;
        });
    }

    fn fetch_failed(&mut self, error: FetchError) -> Vec<Input> {
        let failed = Failed {
            reason: explain(&error),
            retry_after: error.retry_after(),
            behind: error.is_behind(),
        };
        self.state
            .send_modify(|state| state.last_error = Some(problem(failed.reason.clone())));
        let mut inputs = vec![Input::Looked(Looked::Failed(failed))];
        if let Some(starting) = &mut self.starting {
            let verdict = starting.fetch_failed(error);
            inputs.extend(self.follow_verdict(verdict));
        }
        inputs
    }

    /// The time for the start is up, and nothing is live.
    fn start_is_late(&mut self) -> Vec<Input> {
        let Some(starting) = &mut self.starting else {
            return Vec::new();
        };
        let verdict = starting.is_late();
        let mut inputs = Vec::new();
        if self.fetching.take().is_some() {
            inputs.push(Input::Looked(Looked::Failed(Failed {
                reason: "no answer came within the time for the start".to_owned(),
                retry_after: None,
                behind: false,
            })));
        }
        inputs.extend(self.follow_verdict(verdict));
        inputs
    }

    /// Offers what a start without a server can use.
    fn follow_verdict(&mut self, verdict: Verdict) -> Option<Input> {
        let remembered = match verdict {
            Verdict::Wait | Verdict::GiveUp => return None,
            Verdict::Remembered | Verdict::Anything => self.recall(),
        };
        let served = match remembered {
            Some(remembered) => {
                warn!(
                    commit.id = remembered.answer.revision.version,
                    age_seconds = remembered.age(SystemTime::now()).as_secs(),
                    "starting from the last known good configuration"
                );
                self.state.send_modify(|state| state.confirmed = Some(remembered.saved));
                Served::by_memory(remembered.answer)
            }
            None if matches!(verdict, Verdict::Anything) => {
                warn!("starting without a configuration from a server");
                Served::nothing(&self.follows)
            }
            None => return None,
        };
        Some(Input::Local(self.offers.offer(served)))
    }

    fn recall(&mut self) -> Option<Remembered> {
        match self.memory.as_ref()?.recall() {
            Ok(remembered) => remembered,
            Err(error) => {
                warn!(error = %explain(&error), "the last known good configuration is not used");
                None
            }
        }
    }

    async fn apply(&mut self, digest: &str) -> Vec<Input> {
        let Some((served, configuration)) = self.offers.take(digest) else {
            return vec![Input::Applied(Err(Veto::failed(
                "the configuration is no longer there",
            )))];
        };
        let old = self.offers.served().map(|_| self.configuration.borrow().clone());
        let changed = KeysChanged::between(old.as_deref(), &configuration);
        let result = self.applier.apply(&configuration, &changed).await;
        let mut inputs = vec![Input::Applied(result.clone())];
        match result {
            Ok(()) => self.is_live(served, configuration),
            Err(veto) => {
                if let Some(starting) = &mut self.starting {
                    let verdict = starting.refused(veto);
                    inputs.extend(self.follow_verdict(verdict));
                }
            }
        }
        inputs
    }

    fn is_live(&mut self, served: Served, configuration: Arc<Configuration>) {
        self.state.send_modify(|state| {
            state.applied_total += 1;
            state.live = Some(Live {
                revision: configuration.revision().clone(),
                source: served.source,
                since: SystemTime::now(),
            });
        });
        self.offers.is_live(served);
        self.configuration.send_replace(configuration);
    }

    /// Remembers what is live; its name may have moved although the values did not.
    async fn persist(&mut self) {
        let Some(live) = self.reconciler.live().cloned() else {
            return;
        };
        let current = self.configuration.borrow().clone();
        if *current.revision() != live {
            self.configuration.send_replace(Arc::new(current.renamed(live.clone())));
            self.state.send_modify(|state| {
                if let Some(shown) = &mut state.live {
                    shown.revision = live.clone();
                }
            });
            self.offers.renamed(&live);
        }
        let (Some(memory), Some(served)) = (self.memory.clone(), self.offers.served()) else {
            return;
        };
        if served.source != LiveSource::Server {
            return;
        }
        let remembered = Remembered {
            answer: (*served.answer).clone(),
            saved: SystemTime::now(),
        };
        let writing = self.tracker.spawn_blocking(move || memory.remember(&remembered));
        if let Ok(Err(error)) = writing.await {
            warn!(error = %explain(&error), "the last known good configuration was not written");
        }
    }

    async fn look_at_overrides(&mut self) -> Vec<Input> {
        let Some(overrides) = &mut self.overrides else {
            return Vec::new();
        };
        overrides.due = Instant::now() + OVERRIDES_EVERY;
        let directory = overrides.directory.clone();
        match self.tracker.spawn_blocking(move || read_overrides(&directory)).await {
            Ok(Ok(read)) => self.offers.set_overrides(read).into_iter().map(Input::Local).collect(),
            Ok(Err(error)) => {
                let text = explain(&error);
                let known = self
                    .state
                    .borrow()
                    .last_error
                    .as_ref()
                    .is_some_and(|last| last.text == text);
                if !known {
                    warn!(error = text, "the overrides stay as they were");
                    self.state.send_modify(|state| state.last_error = Some(problem(text)));
                }
                Vec::new()
            }
            Err(_) => Vec::new(),
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
            Some(_) => Vec::new(),
            None => {
                self.signals = None;
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

    fn report(&self, ended: Ended) {
        let report = self.report_of(ended);
        log(&report);
        self.state.send_modify(|state| {
            state.outcome = Some(report.outcome);
            state.last_error = report.reason.clone().map(problem);
        });
        if let Some(reporter) = &self.reporter {
            reporter.report(report);
        }
    }

    fn report_of(&self, ended: Ended) -> Report {
        let live = self.reconciler.live();
        Report {
            bus_id: self.follows.bus_id.clone(),
            application: self.follows.application.clone(),
            profiles: self.follows.profiles.clone(),
            label: self.follows.label.clone(),
            events: ended.events,
            commit: live.and_then(|live| live.commit()),
            digest: live.map(|live| live.digest.clone()),
            outcome: ended.outcome,
            reason: ended.reason,
            millis: u64::try_from(ended.took.as_millis()).unwrap_or(u64::MAX),
        }
    }

    async fn farewell(mut self) {
        let last = self.report_of(Ended {
            events: Vec::new(),
            outcome: Outcome::Stopped,
            reason: None,
            took: Duration::ZERO,
        });
        if let Some(reporter) = self.reporter.take() {
            reporter.report(last);
            reporter.finish().await;
        }
    }
}

async fn ended(fetching: &mut Option<Fetching>) -> Result<Fetched, FetchError> {
    match fetching {
        Some(fetching) => fetching.await,
        None => pending().await,
    }
}

async fn heard(signals: &mut Option<mpsc::Receiver<Signal>>) -> Option<Signal> {
    match signals {
        Some(signals) => signals.recv().await,
        None => pending().await,
    }
}

fn log(report: &Report) {
    let commit = report.commit.as_ref().map(ToString::to_string);
    let reason = report.reason.as_deref();
    match report.outcome {
        Outcome::Applied => info!(
            commit.id = commit,
            duration_ms = report.millis,
            "the configuration is live"
        ),
        Outcome::Failed => warn!(commit.id = commit, reason, "the configuration could not be renewed"),
        Outcome::Vetoed => warn!(
            commit.id = commit,
            reason, "the configuration was refused; the old one stays"
        ),
        _ => debug!(commit.id = commit, duration_ms = report.millis, "nothing changed"),
    }
}

fn problem(text: String) -> Problem {
    Problem {
        text,
        at: SystemTime::now(),
    }
}

/// Splits a link into what is heard and where reports go.
pub(super) fn split(link: Option<Link>, tracker: &TaskTracker) -> (Option<mpsc::Receiver<Signal>>, Option<Reporter>) {
    match link {
        None => (None, None),
        Some(link) => (Some(link.signals), Some(Reporter::start(link.reports, tracker))),
    }
}
