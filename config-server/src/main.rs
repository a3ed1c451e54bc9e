//! The program: arguments, log, signals, exit code.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::process::ExitCode;

use anyhow::Context;
use config_server::settings::arguments::{Arguments, Command};
use config_server::settings::load::{Disk, Examined, Sources, examine};
use config_server::settings::{LogFormat, Settings};
use config_server::{app, serve};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use tracing_subscriber::EnvFilter;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `EX_USAGE`: the settings cannot be used.
const BAD_SETTINGS: u8 = 64;
/// The server failed, or could not start.
const FAILED: u8 = 1;
/// A second signal: stopped without waiting for anything.
const ABORTED: u8 = 130;

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args()) {
        Ok(arguments) => arguments,
        Err(help) => {
            let _ = help.print();
            return if help.use_stderr() {
                ExitCode::from(BAD_SETTINGS)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    let environment: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let examined = examine(&Sources {
        arguments: &arguments.properties,
        environment: &environment,
        files: &Disk,
    });
    if arguments.command == Command::Check {
        return check(&examined);
    }
    match examined.settings {
        Ok(settings) => run(settings, &examined.notes, environment.get("RUST_LOG")),
        Err(faults) => {
            print_error(&faults.to_string());
            ExitCode::from(BAD_SETTINGS)
        }
    }
}

/// `config-server check`: what is in effect, and everything that is wrong with it.
#[expect(clippy::print_stdout, reason = "the output of the command")]
fn check(examined: &Examined) -> ExitCode {
    println!("{}", examined.printout);
    for note in &examined.notes {
        println!("note: {note}");
    }
    match &examined.settings {
        Ok(_) => ExitCode::SUCCESS,
        Err(faults) => {
            print_error(&faults.to_string());
            ExitCode::from(BAD_SETTINGS)
        }
    }
}

fn run(settings: Settings, notes: &[String], filter: Option<&String>) -> ExitCode {
    start_log(settings.log, filter.map_or("info", String::as_str));
    for note in notes {
        info!("{note}");
    }
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        warn!("another TLS provider is installed already");
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            error!(%error, "cannot start the runtime");
            return ExitCode::from(FAILED);
        }
    };
    match runtime.block_on(serve_until_told(settings)) {
        Ok(code) => code,
        Err(error) => {
            error!("{error:#}");
            ExitCode::from(FAILED)
        }
    }
}

async fn serve_until_told(settings: Settings) -> anyhow::Result<ExitCode> {
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let listener = serve::bind(&settings.http).await?;
    let mut server = std::pin::pin!(app::run(listener, settings, stop.clone()));
    loop {
        tokio::select! {
            ended = server.as_mut() => {
                ended?;
                info!("stopped");
                return Ok(ExitCode::SUCCESS);
            }
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        if stop.is_cancelled() {
            warn!("told to stop again: not waiting any longer");
            return Ok(ExitCode::from(ABORTED));
        }
        stop.cancel();
    }
}

fn start_log(format: LogFormat, filter: &str) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Json => log.json().flatten_event(true).init(),
        LogFormat::Text => log.with_ansi(std::io::stderr().is_terminal()).init(),
    }
}

#[expect(clippy::print_stderr, reason = "there is no log before there are settings")]
fn print_error(text: &str) {
    eprintln!("{text}");
}
