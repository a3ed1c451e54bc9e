//! Runs a command and waits for it, but not for ever.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use thiserror::Error;
use tokio::process::Command;
use tokio::time::timeout;

/// Why a command did not do its work.
#[derive(Debug, Error)]
pub(super) enum CommandError {
    #[error("the command could not be started")]
    Start(#[source] std::io::Error),
    #[error("the command {0}")]
    Ended(String),
    #[error("the command did not end within {} s and was killed", .0.as_secs_f32())]
    TimedOut(Duration),
}

/// Runs `command` in a shell, with `variables` added to its environment. Its output goes where ours
/// goes.
pub(super) async fn run(command: &str, variables: &[(&str, String)], limit: Duration) -> Result<(), CommandError> {
    let mut child = shell(command)
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(CommandError::Start)?;
    match timeout(limit, child.wait()).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(CommandError::Ended(told(status))),
        Ok(Err(error)) => Err(CommandError::Start(error)),
        Err(_) => {
            // It may have ended meanwhile; then there is nothing to kill.
            let _ = child.kill().await;
            Err(CommandError::TimedOut(limit))
        }
    }
}

#[cfg(unix)]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(command);
    shell
}

#[cfg(not(unix))]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("cmd");
    shell.arg("/C").arg(command);
    shell
}

fn told(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("ended with exit code {code}"),
        None => "was ended by a signal".to_owned(),
    }
}
