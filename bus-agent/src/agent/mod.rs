//! The agent: one task that keeps a process at the head of what it follows.
//!
//! [`AgentBuilder`] gathers the parts, [`Agent`] is the handle, the task feeds the reconciler and
//! carries out what it says, and reports leave on a task of their own so that a slow bus never
//! holds up a refresh.

mod builder;
mod bus;
mod clock;
mod memory;
mod offer;
mod reporter;
mod start;
mod starting;
mod state;
mod task;

use std::future::pending;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio_util::sync::DropGuard;

pub use builder::{AgentBuilder, Started};
pub use bus::{BrokerUrlError, Bus};
pub use start::StartError;
pub use starting::WithoutServer;
pub use state::{AgentState, Live, LiveSource, Problem};

use crate::configuration::Configuration;
use crate::follows::Follows;

/// A running agent. Dropping it stops the task: the last report goes out, then the bus is left.
#[derive(Debug)]
pub struct Agent {
    follows: Arc<Follows>,
    state: watch::Receiver<AgentState>,
    configuration: watch::Receiver<Arc<Configuration>>,
    commands: mpsc::Sender<Command>,
    _stop: DropGuard,
}

/// What the handle asks of the task.
#[derive(Debug, Clone, Copy)]
enum Command {
    Refresh,
}

impl Agent {
    /// Begins an agent.
    pub fn builder() -> AgentBuilder {
        AgentBuilder::new()
    }

    /// What it follows, and under which name.
    #[must_use]
    pub fn follows(&self) -> &Follows {
        &self.follows
    }

    /// The configuration that is live.
    #[must_use]
    pub fn configuration(&self) -> Arc<Configuration> {
        self.configuration.borrow().clone()
    }

    /// How the agent stands, as it changes.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<AgentState> {
        self.state.clone()
    }

    /// Waits until a shutdown event asks this process to end, which is then up to the owner: the
    /// agent goes on until it is stopped. For ever unless such events are honoured
    /// ([`AgentBuilder::shutdown_events`]).
    pub async fn shutdown_asked(&self) {
        let mut state = self.state();
        let asked = state.wait_for(|state| state.shutdown_asked.is_some()).await.is_ok();
        if !asked {
            // The agent stopped: nobody will ask any more.
            pending::<()>().await;
        }
    }

    /// Looks now, whatever the backoff says. Calls that come close together make one look.
    pub fn refresh(&self) {
        // A full queue holds the same wish already; a closed one means that the agent stopped.
        let _ = self.commands.try_send(Command::Refresh);
    }
}
