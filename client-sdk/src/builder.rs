//! Gathers what a client needs.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bus_agent::{Agent, AgentBuilder, Follows, Login};
use contract::Profile;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::client::ConfigClient;
use crate::error::Error;
use crate::registry::{Bound, Registry};

/// How a client hears of changes.
#[derive(Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Bus {
    /// From the server itself.
    #[default]
    Embedded,
    /// From RabbitMQ at `amqp[s]://user:password@host:port/vhost?exchange=name`, several nodes with commas.
    Amqp(String),
    /// Not at all: it only looks now and then.
    None,
}

/// Gathers what a client needs; [`ConfigClientBuilder::build`] connects it.
///
/// ```no_run
/// # use client_sdk::{Bus, ConfigClient};
/// # async fn example() -> Result<(), client_sdk::Error> {
/// let client = ConfigClient::builder()
///     .server("http://localhost:8888")
///     .application("orders")
///     .profiles(["dev"])
///     .bus(Bus::Embedded)
///     .last_known_good("/var/lib/orders")
///     .build()
///     .await?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct ConfigClientBuilder {
    agent: AgentBuilder,
    application: String,
    profiles: Vec<String>,
    label: Option<String>,
    bus: Bus,
}

/// Without the address of a broker: it may hold a password.
impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Embedded => "Embedded",
            Self::Amqp(_) => "Amqp(..)",
            Self::None => "None",
        })
    }
}

impl ConfigClientBuilder {
    pub(crate) fn new() -> Self {
        Self {
            agent: Agent::builder(),
            application: String::new(),
            profiles: Vec::new(),
            label: None,
            bus: Bus::default(),
        }
    }

    /// Adds a server. Several are tried in order.
    pub fn server(mut self, url: impl Into<String>) -> Self {
        self.agent = self.agent.server(url);
        self
    }

    /// Follows the configuration of this application.
    pub fn application(mut self, name: impl Into<String>) -> Self {
        self.application = name.into();
        self
    }

    /// With these profiles, the last one strongest; none is `default`.
    pub fn profiles(mut self, profiles: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.profiles = profiles.into_iter().map(Into::into).collect();
        self
    }

    /// Of this branch, tag or commit; the server's default.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Shows a user and a password to the server.
    pub fn basic_auth(mut self, username: impl Into<String>, password: impl Into<String>) -> Self {
        self.agent = self.agent.login(Login::basic(username, password));
        self
    }

    /// Shows a bearer token to the server.
    pub fn bearer_token(mut self, token: impl Into<String>) -> Self {
        self.agent = self.agent.login(Login::bearer(token));
        self
    }

    /// Trusts the certificates in `pem` beside those of the machine.
    pub fn trust(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.agent = self.agent.trust(pem);
        self
    }

    /// Shows the certificate and key in `pem` to the server.
    pub fn identity(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.agent = self.agent.identity(pem);
        self
    }

    /// Hears of changes over `bus`; [`Bus::Embedded`].
    pub fn bus(mut self, bus: Bus) -> Self {
        self.bus = bus;
        self
    }

    /// Looks at the latest this long after the last look; 60 s.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.agent = self.agent.interval(interval);
        self
    }

    /// Fails the build when no server gives a configuration, instead of starting from the last
    /// known good one or from nothing; off.
    pub fn fail_fast(mut self, on: bool) -> Self {
        self.agent = self.agent.fail_fast(on);
        self
    }

    /// Gives the servers this long when the client is built; 10 s.
    pub fn start_timeout(mut self, time: Duration) -> Self {
        self.agent = self.agent.start_timeout(time);
        self
    }

    /// Remembers what was live in `directory`, for a start while no server answers. The file holds
    /// the values; only its owner may read it.
    pub fn last_known_good(mut self, directory: impl Into<PathBuf>) -> Self {
        self.agent = self.agent.last_known_good(directory);
        self
    }

    /// Lets an operator's files in `directory` (`.yml`, `.json`, `.properties`) win over the server.
    pub fn overrides(mut self, directory: impl Into<PathBuf>) -> Self {
        self.agent = self.agent.overrides(directory);
        self
    }

    /// Lets placeholders such as `${HOME}` use these names, as a Spring client lets them use its
    /// environment: `.variables(std::env::vars())`.
    pub fn variables(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        self.agent = self.agent.variables(variables);
        self
    }

    /// Honours environment-change events: whoever may write to the bus can then set any property
    /// of this process until it ends; off.
    pub fn environment_changes(mut self, honoured: bool) -> Self {
        self.agent = self.agent.environment_changes(honoured);
        self
    }

    /// Honours shutdown events: whoever may write to the bus can then ask this process to end, which
    /// [`ConfigClient::shutdown_asked`] tells; off.
    pub fn shutdown_events(mut self, honoured: bool) -> Self {
        self.agent = self.agent.shutdown_events(honoured);
        self
    }

    /// Connects, and waits for the first configuration to be live.
    ///
    /// # Errors
    /// [`ErrorKind::Settings`](crate::ErrorKind::Settings) when something does not fit; what the
    /// server said when the start failed.
    pub async fn build(self) -> Result<ConfigClient, Error> {
        let follows = self.follows()?;
        let bus = match &self.bus {
            Bus::Embedded => bus_agent::Bus::Embedded,
            Bus::None => bus_agent::Bus::None,
            Bus::Amqp(url) => bus_agent::Bus::amqp(url).map_err(Error::settings)?,
        };
        let registry = Arc::new(Registry::default());
        let tracker = TaskTracker::new();
        let stop = CancellationToken::new();
        let applier = Bound(Arc::clone(&registry));
        let agent = self.agent.bus(bus).start(follows, applier, &tracker, &stop).await?;
        Ok(ConfigClient::new(registry, agent, tracker, stop))
    }

    fn follows(&self) -> Result<Follows, Error> {
        let profiles: Result<Vec<Profile>, _> = self.profiles.iter().map(|profile| profile.parse()).collect();
        Ok(Follows::new(
            self.application.parse().map_err(Error::settings)?,
            profiles.map_err(Error::settings)?,
            self.label
                .as_deref()
                .map(str::parse)
                .transpose()
                .map_err(Error::settings)?,
        ))
    }
}
