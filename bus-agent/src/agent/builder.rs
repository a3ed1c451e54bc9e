//! Gathers the parts of an agent.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use super::Agent;
use super::bus::Bus;
use super::clock::{Clock, unix_millis};
use super::memory::Memory;
use super::offer::Offers;
use super::start::StartError;
use super::starting::{Starting, WithoutServer};
use super::state::AgentState;
use super::task::{self, Overrides, Task};
use crate::apply::Applier;
use crate::configuration::{Configuration, Local, Variables, read_overrides};
use crate::fetch::{FetchSettings, Fetcher, Login};
use crate::follows::Follows;
use crate::reconcile::{Pace, Reconciler};

const COMMANDS: usize = 1;

/// Tells when an agent's first configuration is live.
#[derive(Debug)]
#[must_use = "a start may fail"]
pub struct Started(oneshot::Receiver<Result<(), StartError>>);

impl Started {
    /// Waits until something is live, or the start failed.
    ///
    /// # Errors
    /// [`StartError`] when nothing could be made live.
    pub async fn live(self) -> Result<(), StartError> {
        self.0.await.unwrap_or(Err(StartError::Stopped))
    }
}

/// Gathers the parts of an agent; [`AgentBuilder::start`] starts it.
#[must_use = "a builder does nothing until it is started"]
pub struct AgentBuilder {
    servers: Vec<String>,
    fetch: FetchSettings,
    bus: Bus,
    pace: Pace,
    without_server: WithoutServer,
    start_timeout: Duration,
    last_known_good: Option<PathBuf>,
    overrides: Option<PathBuf>,
    variables: Variables,
    environment_changes: bool,
    shutdown_events: bool,
}

/// Without the servers and the variables: either may hold a password.
impl fmt::Debug for AgentBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentBuilder")
            .field("bus", &self.bus)
            .field("pace", &self.pace)
            .field("without_server", &self.without_server)
            .finish_non_exhaustive()
    }
}

impl AgentBuilder {
    pub(super) fn new() -> Self {
        Self {
            servers: Vec::new(),
            fetch: FetchSettings::new(Vec::new()),
            bus: Bus::Embedded,
            pace: Pace::default(),
            without_server: WithoutServer::default(),
            start_timeout: Duration::from_secs(10),
            last_known_good: None,
            overrides: None,
            variables: Variables::new(),
            environment_changes: false,
            shutdown_events: false,
        }
    }

    /// Adds a server. Several are tried in order.
    pub fn server(mut self, url: impl Into<String>) -> Self {
        self.servers.push(url.into());
        self
    }

    /// Shows who asks.
    pub fn login(mut self, login: Login) -> Self {
        self.fetch.login = Some(login);
        self
    }

    /// Limits a connection and a whole answer; 5 s and 30 s.
    pub fn timeouts(mut self, connect: Duration, answer: Duration) -> Self {
        self.fetch.connect_timeout = connect;
        self.fetch.timeout = answer;
        self
    }

    /// Refuses an answer of more than `bytes`; 32 MiB.
    pub fn largest_answer(mut self, bytes: usize) -> Self {
        self.fetch.largest = bytes;
        self
    }

    /// Trusts the certificates in `pem` beside those of the machine.
    pub fn trust(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.fetch.authorities.push(pem.into());
        self
    }

    /// Shows the certificate and key in `pem` to the server.
    pub fn identity(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.fetch.identity = Some(pem.into());
        self
    }

    /// Hears of changes over `bus`; the embedded one.
    pub fn bus(mut self, bus: Bus) -> Self {
        self.bus = bus;
        self
    }

    /// Looks at the latest this long after the last look; 60 s.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.pace.interval = interval;
        self
    }

    /// Keeps these times.
    pub fn pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// What the start does while no server gives a configuration; [`WithoutServer::Start`].
    pub fn without_server(mut self, policy: WithoutServer) -> Self {
        self.without_server = policy;
        self
    }

    /// [`WithoutServer::Fail`], or [`WithoutServer::Start`].
    pub fn fail_fast(self, on: bool) -> Self {
        self.without_server(if on { WithoutServer::Fail } else { WithoutServer::Start })
    }

    /// Gives the servers this long at the start; 10 s.
    pub fn start_timeout(mut self, time: Duration) -> Self {
        self.start_timeout = time;
        self
    }

    /// Remembers what was made live in `directory`.
    pub fn last_known_good(mut self, directory: impl Into<PathBuf>) -> Self {
        self.last_known_good = Some(directory.into());
        self
    }

    /// Lets the files in `directory` win over the server; they are looked at every few seconds.
    pub fn overrides(mut self, directory: impl Into<PathBuf>) -> Self {
        self.overrides = Some(directory.into());
        self
    }

    /// Lets placeholders use these names, as a Spring client lets them use its environment.
    pub fn variables(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        self.variables = variables.into_iter().collect();
        self
    }

    /// Honours environment-change events: whoever may write to the bus can then set any property
    /// of this process until it ends; off.
    pub fn environment_changes(mut self, honoured: bool) -> Self {
        self.environment_changes = honoured;
        self
    }

    /// Honours shutdown events: whoever may write to the bus can then have this process end, as far
    /// as its owner awaits [`Agent::shutdown_asked`]; off. An event counts once, and only when it was
    /// made after the start of this agent, by the clocks of both.
    pub fn shutdown_events(mut self, honoured: bool) -> Self {
        self.shutdown_events = honoured;
        self
    }

    /// Follows what `follows` names. Starts the agent on tasks of `tracker` and waits for the first
    /// configuration to be live. Cancelling `stop`, like dropping the handle, stops it.
    ///
    /// # Errors
    /// [`StartError`] when a part does not fit, or when nothing could be made live.
    pub async fn start<A: Applier>(
        self,
        follows: Follows,
        applier: A,
        tracker: &TaskTracker,
        stop: &CancellationToken,
    ) -> Result<Agent, StartError> {
        let (agent, started) = self.launch(follows, applier, tracker, stop)?;
        started.live().await?;
        Ok(agent)
    }

    /// Like [`AgentBuilder::start`], but does not wait: the handle shows how the start goes.
    ///
    /// # Errors
    /// [`StartError`] when a part does not fit.
    pub fn launch<A: Applier>(
        mut self,
        follows: Follows,
        applier: A,
        tracker: &TaskTracker,
        stop: &CancellationToken,
    ) -> Result<(Agent, Started), StartError> {
        self.fetch.servers = parse_servers(&self.servers)?;
        let fetcher = Arc::new(Fetcher::new(self.fetch.clone()).map_err(StartError::Client)?);
        let mut local = Local::with_variables(std::mem::take(&mut self.variables));
        if let Some(directory) = &self.overrides {
            local.set_overrides(read_overrides(directory).map_err(StartError::Overrides)?);
        }
        let follows = Arc::new(follows);
        let stop = stop.child_token();
        let bus_stop = CancellationToken::new();
        let link = self.bus.connect(&follows, &fetcher, tracker, bus_stop.clone());
        let (hearing, reporter) = task::split(link, tracker, self.pace);
        let (commands, asked) = mpsc::channel(COMMANDS);
        let (state, state_seen) = watch::channel(AgentState::default());
        let (configuration, configuration_seen) = watch::channel(Arc::new(Configuration::empty()));
        let (started, start) = oneshot::channel();
        let task = Task {
            applier,
            reconciler: Reconciler::new((*follows).clone(), self.pace, fastrand::u64(..))
                .with_pins(self.environment_changes)
                .with_shutdowns(self.shutdown_events, unix_millis()),
            clock: Clock::start(),
            fetcher,
            fetching: None,
            asked: None,
            offers: Offers::new(local),
            overrides: self.overrides.map(Overrides::within),
            memory: self
                .last_known_good
                .map(|directory| Memory::within(&directory, &follows)),
            starting: Some(Starting::new(started, self.without_server, self.start_timeout)),
            ended_by: None,
            hearing,
            reporter,
            commands: asked,
            state,
            configuration,
            tracker: tracker.clone(),
            follows: Arc::clone(&follows),
        };
        let guard = stop.clone().drop_guard();
        tracker.spawn(async move {
            task.run(stop).await;
            bus_stop.cancel();
        });
        let agent = Agent {
            follows,
            state: state_seen,
            configuration: configuration_seen,
            commands,
            _stop: guard,
        };
        Ok((agent, Started(start)))
    }
}

fn parse_servers(texts: &[String]) -> Result<Vec<Url>, StartError> {
    if texts.is_empty() {
        return Err(StartError::NoServer);
    }
    let parse = |(at, text): (usize, &String)| {
        Url::parse(text.trim())
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or(StartError::ServerUrl { position: at + 1 })
    };
    texts.iter().enumerate().map(parse).collect()
}
