//! The agent beside a process of any language: keeps a file current and runs a command after.
//!
//! [`settings`] say what to follow and what to write, `format` renders, `output` writes and runs
//! (`command`), `admin` shows how it stands.

pub mod settings;

mod command;
mod format;
mod output;

mod admin;

use std::net::SocketAddr;
use std::sync::Arc;

use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::info;

pub use format::Format;
pub use output::Outputs;
pub use settings::Settings;

use crate::agent::{Agent, StartError, WithoutServer};

/// Why a sidecar ended before it was stopped.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SidecarError {
    /// The agent did not start.
    #[error("the agent did not start")]
    Start(#[from] StartError),
    /// The admin port is not free.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
}

/// Follows until `stop`, or until a shutdown event that is honoured; each message of `refreshes` is a
/// look now. With `settings.once` it ends after the first configuration was written and its command
/// ended well.
///
/// # Errors
/// [`SidecarError`] when the start failed. Later failures are retried for ever, and shown.
pub async fn run(
    settings: Settings,
    mut refreshes: mpsc::Receiver<()>,
    stop: CancellationToken,
) -> Result<(), SidecarError> {
    let tracker = TaskTracker::new();
    let policy = if settings.fail_fast || settings.once {
        WithoutServer::Fail
    } else {
        WithoutServer::Wait
    };
    let outputs = Outputs::new(settings.outputs);
    let builder = settings.agent.without_server(policy);
    let (agent, started) = builder.launch(settings.follows, outputs, &tracker, &stop)?;
    let agent = Arc::new(agent);
    if let Some(address) = settings.admin {
        let listener = TcpListener::bind(address)
            .await
            .map_err(|cause| SidecarError::Listen { address, cause })?;
        info!(address = %listener.local_addr().unwrap_or(address), "the admin port is open");
        tracker.spawn(admin::serve(listener, agent.state(), stop.clone()));
    }
    let outcome = tokio::select! {
        live = started.live() => live.map_err(SidecarError::from),
        () = look(&agent, &mut refreshes) => Ok(()),
        () = told_to_end(&agent, &stop) => Ok(()),
    };
    if outcome.is_ok() && !settings.once {
        tokio::select! {
            () = look(&agent, &mut refreshes) => {}
            () = told_to_end(&agent, &stop) => {}
        }
    }
    stop.cancel();
    drop(agent);
    tracker.close();
    tracker.wait().await;
    outcome
}

/// By whoever runs it, or by an event.
async fn told_to_end(agent: &Agent, stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = agent.shutdown_asked() => {}
    }
}

/// Looks whenever it is told to, until nobody can tell any more.
async fn look(agent: &Agent, refreshes: &mut mpsc::Receiver<()>) {
    while refreshes.recv().await.is_some() {
        agent.refresh();
    }
    std::future::pending().await
}
