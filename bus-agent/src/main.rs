//! The sidecar: keeps a file current for a process of any language.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use bus_agent::sidecar::settings::{RawSettings, Settings, resolve};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

/// As `sysexits.h` says: the command was used wrongly.
const USAGE: u8 = 64;

/// Keeps a file current with an application's configuration, and runs a command when it changed
#[derive(Debug, Parser)]
#[command(version, about)]
struct Flags {
    /// A YAML file with the same settings; flags and environment win over it
    #[arg(long, value_name = "FILE", env = "CONFIG_BUS_CONFIG")]
    config: Option<PathBuf>,
    /// What to log: `info`, `debug`, `bus_agent=debug`
    #[arg(long, value_name = "FILTER", env = "CONFIG_BUS_LOG", default_value = "info")]
    log: String,
    #[command(flatten)]
    settings: RawSettings,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let flags = Flags::parse();
    log_to_stderr(&flags.log);
    let settings = match load(flags) {
        Ok(settings) => settings,
        Err(error) => return say(&error, USAGE),
    };
    match run(settings).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => say(&error, 1),
    }
}

fn load(flags: Flags) -> anyhow::Result<Settings> {
    let file = match &flags.config {
        None => RawSettings::default(),
        Some(path) => {
            let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            RawSettings::from_yaml(&text).with_context(|| format!("in {}", path.display()))?
        }
    };
    let raw = flags.settings.over(file);
    // A name or value that is no text is of no use in a placeholder.
    let variables =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Ok(resolve(&raw, |path| std::fs::read(path), variables)?)
}

async fn run(settings: Settings) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let (refresh, refreshes) = mpsc::channel(1);
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let running = bus_agent::sidecar::run(settings, refreshes, stop.clone());
    tokio::pin!(running);
    loop {
        tokio::select! {
            ended = &mut running => return Ok(ended?),
            _ = interrupt.recv() => stop.cancel(),
            _ = terminate.recv() => stop.cancel(),
            // A full queue holds the same wish already.
            _ = hang_up.recv() => drop(refresh.try_send(())),
        }
    }
}

fn log_to_stderr(filter: &str) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}

/// The error with its causes, as the last thing said.
fn say(error: &anyhow::Error, code: u8) -> ExitCode {
    // When standard error is gone there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "bus-agent: {error:#}");
    ExitCode::from(code)
}
