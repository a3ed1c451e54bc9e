//! The agent against a server that can be told to fail.

mod apply;
mod hear;
mod local;
mod shutdown;
#[cfg(feature = "sidecar")]
mod sidecar;
mod start;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bus_agent::testing::{FakeBus, Origin};
use bus_agent::{Agent, AgentBuilder, AgentState, Applier, Bus, Configuration, Follows, KeysChanged, StartError, Veto};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// One configuration as the application was given it.
type Given = (Arc<Configuration>, KeysChanged);

/// What an application saw, and what it says to the next configurations.
#[derive(Clone, Default)]
struct Application {
    seen: Arc<Mutex<Vec<Given>>>,
    vetoes: Arc<Mutex<Vec<Veto>>>,
}

impl Application {
    /// The values of `key` it was given, one for each apply.
    fn values(&self, key: &str) -> Vec<String> {
        let seen = self.seen.lock().expect("not poisoned");
        seen.iter()
            .filter_map(|(given, _)| Some(given.get(key)?.text()))
            .collect()
    }

    fn refuse_next(&self, veto: Veto) {
        self.vetoes.lock().expect("not poisoned").push(veto);
    }
}

impl Applier for Application {
    async fn apply(&mut self, new: &Arc<Configuration>, changed: &KeysChanged) -> Result<(), Veto> {
        if let Some(veto) = self.vetoes.lock().expect("not poisoned").pop() {
            return Err(veto);
        }
        let mut seen = self.seen.lock().expect("not poisoned");
        seen.push((Arc::clone(new), changed.clone()));
        Ok(())
    }
}

/// An agent with what it needs to run and to be looked at.
struct Running {
    agent: Agent,
    application: Application,
    bus: FakeBus,
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Running {
    async fn start(origin: &Origin, set: impl FnOnce(AgentBuilder) -> AgentBuilder) -> Self {
        let started = Self::try_start(origin.url(), set, Application::default()).await;
        started.expect("the agent starts")
    }

    async fn try_start(
        url: &str,
        set: impl FnOnce(AgentBuilder) -> AgentBuilder,
        application: Application,
    ) -> Result<Self, StartError> {
        let (bus, link) = FakeBus::connected();
        let tracker = TaskTracker::new();
        let stop = CancellationToken::new();
        let builder = set(Agent::builder().server(url).bus(Bus::Link(Box::new(link))));
        let agent = builder.start(follows(), application.clone(), &tracker, &stop).await?;
        Ok(Self {
            agent,
            application,
            bus,
            tracker,
            stop,
        })
    }

    /// Waits until the state is as wanted.
    async fn until(&self, wanted: impl FnMut(&AgentState) -> bool) -> AgentState {
        let mut state = self.agent.state();
        let waited = timeout(Duration::from_secs(10), state.wait_for(wanted)).await;
        waited.expect("the state in time").expect("an agent that runs").clone()
    }

    fn value(&self, key: &str) -> Option<String> {
        Some(self.agent.configuration().get(key)?.text())
    }
}

fn follows() -> Follows {
    Follows::new(
        "orders".parse().expect("a name"),
        vec!["dev".parse().expect("a profile"), "eu".parse().expect("a profile")],
        Some("main".parse().expect("a label")),
    )
}
