//! An agent in this process that writes down what it makes live.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use bus_agent::{Agent, Applier, Bus, Configuration, Follows, KeysChanged, Veto};
use test_support::within;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::DEADLINE;
use super::history::Applied;

/// Its timer is out of reach: what it learns it hears.
const NEVER: Duration = Duration::from_secs(3600);

/// An agent of `shop/dev`.
#[derive(Debug)]
pub struct Follower {
    agent: Agent,
    history: Arc<Mutex<Vec<Applied>>>,
    _stop: DropGuard,
}

#[derive(Debug)]
struct Recorder(Arc<Mutex<Vec<Applied>>>);

impl Applier for Recorder {
    async fn apply(&mut self, new: &Arc<Configuration>, _: &KeysChanged) -> Result<(), Veto> {
        let text = |key: &str| new.get(key).map(|entry| entry.text()).unwrap_or_default();
        let applied = Applied {
            commit: new.revision().version.clone().unwrap_or_default(),
            first: text("first"),
            second: text("second"),
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(applied);
        Ok(())
    }
}

impl Follower {
    /// Starts one and waits until it is live and hears.
    ///
    /// # Errors
    /// When it is not in time.
    pub async fn start(server: &str, bus: Bus) -> Result<Self> {
        let history = Arc::new(Mutex::new(Vec::new()));
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        let follows = Follows::new("shop".parse()?, vec!["dev".parse()?], None);
        let recorder = Recorder(Arc::clone(&history));
        let builder = Agent::builder().server(server).bus(bus).interval(NEVER).fail_fast(true);
        let agent = builder.start(follows, recorder, &tracker, &stop).await?;
        let follower = Self {
            agent,
            history,
            _stop: stop.drop_guard(),
        };
        follower.hears().await?;
        Ok(follower)
    }

    /// Waits until it hears.
    ///
    /// # Errors
    /// When it does not in time.
    pub async fn hears(&self) -> Result<()> {
        self.connected(true).await
    }

    /// Waits until it has noticed that it hears nothing.
    ///
    /// # Errors
    /// When it has not in time.
    pub async fn is_deaf(&self) -> Result<()> {
        self.connected(false).await
    }

    /// Its name on the bus.
    #[must_use]
    pub fn bus_id(&self) -> String {
        self.agent.follows().bus_id.to_string()
    }

    /// The commit that is live.
    #[must_use]
    pub fn commit(&self) -> Option<String> {
        let state = self.agent.state();
        let live = state.borrow().live.clone()?;
        Some(live.revision.commit()?.to_string())
    }

    /// What it made live, in order.
    #[must_use]
    pub fn history(&self) -> Vec<Applied> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Its last trouble, for whoever asks why it is late.
    #[must_use]
    pub fn trouble(&self) -> String {
        let state = self.agent.state().borrow().clone();
        let problem = state.last_error.map(|problem| problem.text).unwrap_or_default();
        format!(
            "connected: {}, failures: {}, {problem}",
            state.connected, state.failures
        )
    }

    async fn connected(&self, wanted: bool) -> Result<()> {
        let state = self.agent.state();
        within("a follower's connection", DEADLINE, async || {
            (state.borrow().connected == wanted).then_some(())
        })
        .await
        .with_context(|| self.trouble())
    }
}
