//! The handle to a running client.

use std::fmt;
use std::sync::Arc;

use bus_agent::{Agent, AgentState, Configuration, Entry};
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::bind::bind;
use crate::builder::ConfigClientBuilder;
use crate::error::Error;
use crate::listeners::{Change, Listener};
use crate::registry::Registry;
use crate::slot::{Slot, Validator};
use crate::watch::Watch;

/// Follows the configuration of one application. Cheap to clone; when the last clone and the last
/// [`Watch`] are dropped, its task stops.
#[derive(Clone)]
pub struct ConfigClient(Arc<Inner>);

struct Inner {
    registry: Arc<Registry>,
    agent: Agent,
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl ConfigClient {
    /// Begins a client.
    pub fn builder() -> ConfigClientBuilder {
        ConfigClientBuilder::new()
    }

    pub(crate) fn new(registry: Arc<Registry>, agent: Agent, tracker: TaskTracker, stop: CancellationToken) -> Self {
        Self(Arc::new(Inner {
            registry,
            agent,
            tracker,
            stop,
        }))
    }

    /// Binds the keys below `prefix` to `T` and keeps the value current. From then on a
    /// configuration that does not fit `T` is refused as a whole, and reported: every value stays as
    /// it was.
    ///
    /// # Errors
    /// [`ErrorKind::Bind`](crate::ErrorKind::Bind) when what is live now does not fit.
    pub fn watch<T>(&self, prefix: &str) -> Result<Watch<T>, Error>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        self.register(prefix, None)
    }

    /// Like [`ConfigClient::watch`], and a configuration whose value `validator` does not accept is
    /// refused too. The reason is reported to the servers: it names keys, not values.
    ///
    /// ```no_run
    /// # use client_sdk::ConfigClient;
    /// # #[derive(serde::Deserialize)] struct Pool { max_pool_size: u16 }
    /// # fn example(client: &ConfigClient) -> Result<(), client_sdk::Error> {
    /// let pool = client.watch_validated("db", |pool: &Pool| match pool.max_pool_size {
    ///     0 => Err("`max-pool-size` must not be 0"),
    ///     _ => Ok(()),
    /// })?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Bind`](crate::ErrorKind::Bind) when what is live now does not fit,
    /// [`ErrorKind::Refused`](crate::ErrorKind::Refused) when `validator` does not accept it.
    pub fn watch_validated<T, E>(
        &self,
        prefix: &str,
        validator: impl Fn(&T) -> Result<(), E> + Send + Sync + 'static,
    ) -> Result<Watch<T>, Error>
    where
        T: DeserializeOwned + Send + Sync + 'static,
        E: fmt::Display,
    {
        let said = move |value: &T| validator(value).map_err(|reason| reason.to_string());
        self.register(prefix, Some(Box::new(said)))
    }

    fn register<T>(&self, prefix: &str, validator: Option<Validator<T>>) -> Result<Watch<T>, Error>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        let make = |configuration: &Configuration| Slot::new(configuration, prefix, validator);
        let slot = self.0.registry.register(make)?;
        Ok(Watch::new(slot, self.clone()))
    }

    /// Binds the keys below `prefix` to `T`, once.
    ///
    /// # Errors
    /// [`ErrorKind::Bind`](crate::ErrorKind::Bind) when what is live now does not fit.
    pub fn bind<T: DeserializeOwned>(&self, prefix: &str) -> Result<T, Error> {
        let bound = bind(&self.configuration(), prefix)?;
        Ok(bound.value)
    }

    /// The value of `key`, in any of its spellings, as text.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<String> {
        self.configuration().get(key).map(Entry::text)
    }

    /// Everything that is live: one version, whole.
    #[must_use]
    pub fn configuration(&self) -> Arc<Configuration> {
        self.0.registry.configuration()
    }

    /// Calls `listener` after every change of any key, on the client's task: it should be quick.
    pub fn on_change(&self, listener: impl Fn(&Change<Configuration>) + Send + Sync + 'static) -> Listener {
        self.0.registry.listeners().add(listener)
    }

    /// How the client stands: what is live, how old, what went wrong last.
    #[must_use]
    pub fn state(&self) -> AgentState {
        self.0.agent.state().borrow().clone()
    }

    /// The same, to wait for its changes.
    #[must_use]
    pub fn states(&self) -> tokio::sync::watch::Receiver<AgentState> {
        self.0.agent.state()
    }

    /// Looks for a newer configuration now.
    pub fn refresh(&self) {
        self.0.agent.refresh();
    }

    /// Waits until a shutdown event of the bus asks this process to end; for ever unless such events
    /// are honoured ([`ConfigClientBuilder::shutdown_events`]). The client itself goes on: to end is
    /// up to whoever waits.
    ///
    /// ```no_run
    /// # use client_sdk::ConfigClient;
    /// # async fn serve(stop: impl Future<Output = ()>) {}
    /// # async fn example() -> Result<(), client_sdk::Error> {
    /// let client = ConfigClient::builder()
    ///     .server("http://localhost:8888")
    ///     .application("orders")
    ///     .shutdown_events(true)
    ///     .build()
    ///     .await?;
    /// // Such as `axum::serve(listener, router).with_graceful_shutdown(..)`.
    /// let asked = client.clone();
    /// serve(async move { asked.shutdown_asked().await }).await;
    /// client.close().await;
    /// # Ok(()) }
    /// ```
    pub async fn shutdown_asked(&self) {
        self.0.agent.shutdown_asked().await;
    }

    /// Stops in good order: the servers are told, the bus is left. Values stay as they are.
    pub async fn close(&self) {
        self.0.stop.cancel();
        self.0.tracker.close();
        self.0.tracker.wait().await;
    }

    pub(crate) async fn closed(&self) {
        self.0.stop.cancelled().await;
    }
}

impl fmt::Debug for ConfigClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigClient")
            .field("follows", self.0.agent.follows())
            .finish_non_exhaustive()
    }
}
