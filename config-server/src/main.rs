//! The program: arguments, log, signals, exit code.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write, stdout};
use std::process::ExitCode;

use anyhow::Context;
use config_server::app::runtime;
use config_server::settings::arguments::{Arguments, Command, StatusArguments};
use config_server::settings::load::{Disk, SettingsErrors, Sources, examine};
use config_server::settings::{LogFormat, Settings};
use config_server::status::{self, Screen, Server, Size, Standing};
use config_server::{app, compare};
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
/// The server that was asked answers, and is not well.
const FAULTY: u8 = 2;
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
    let filter = environment.get("RUST_LOG");
    match (arguments.command, examined.settings) {
        (Command::Check, settings) => check(&examined.printout, &examined.notes, settings),
        (Command::Status(asked), settings) => {
            let settings = settings.ok();
            let log = settings.as_ref().map(|settings| settings.log).unwrap_or_default();
            let filter = filter.map_or("error", String::as_str);
            start(log, filter, show_status(&asked, settings.as_ref()))
        }
        (_, Err(faults)) => {
            print_error(&faults.to_string());
            ExitCode::from(BAD_SETTINGS)
        }
        (Command::Compare { with }, Ok(settings)) => start(
            settings.log,
            filter.map_or("error", String::as_str),
            compare_with(&settings, &with),
        ),
        (Command::Serve, Ok(settings)) => start(
            settings.log,
            filter.map_or("info", String::as_str),
            serve(settings.clone(), &examined.notes),
        ),
    }
}

/// `config-server check`: what is in effect, and everything that is wrong with it.
#[expect(clippy::print_stdout, reason = "the output of the command")]
fn check(printout: &str, notes: &[String], settings: Result<Settings, SettingsErrors>) -> ExitCode {
    println!("{printout}");
    for note in notes {
        println!("note: {note}");
    }
    match settings {
        Ok(_) => ExitCode::SUCCESS,
        Err(faults) => {
            print_error(&faults.to_string());
            ExitCode::from(BAD_SETTINGS)
        }
    }
}

/// Runs `work` with a log, a TLS provider and a runtime.
fn start(log: LogFormat, filter: &str, work: impl Future<Output = anyhow::Result<ExitCode>>) -> ExitCode {
    start_log(log, filter);
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        warn!("another TLS provider is installed already");
    }
    let outcome = runtime()
        .context("cannot start the runtime")
        .and_then(|runtime| runtime.block_on(work));
    outcome.unwrap_or_else(|error| {
        error!("{error:#}");
        ExitCode::from(FAILED)
    })
}

/// `config-server compare`: ends with 1 when the servers differ.
#[expect(clippy::print_stdout, reason = "the output of the command")]
async fn compare_with(settings: &Settings, other: &str) -> anyhow::Result<ExitCode> {
    let report = compare::run(settings, other, &mut |line| println!("{line}")).await?;
    println!("{report}");
    Ok(if report.is_same() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    })
}

/// `config-server status`: ends with 2 when the server is not well, or was not when it was seen last.
async fn show_status(asked: &StatusArguments, own: Option<&Settings>) -> anyhow::Result<ExitCode> {
    let server = Server::new(asked, own)?;
    let coloured = stdout().is_terminal();
    let screen = match (asked.json, asked.watch, coloured) {
        (true, ..) => Screen::json(),
        (_, true, true) => Screen::terminal(terminal_size),
        (_, true, false) => Screen::lines(),
        (_, false, coloured) => Screen::Page { coloured },
    };
    let mut write = |text: &str| {
        let mut out = stdout().lock();
        out.write_all(text.as_bytes()).and_then(|()| out.flush())
    };
    let standing = if asked.watch {
        let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
        let interrupted = async { interrupt.recv().await.unwrap_or(()) };
        status::watch(&server, screen, &mut write, interrupted).await
    } else {
        status::once(&server, screen, &mut write).await?
    };
    Ok(match standing {
        Standing::Fine => ExitCode::SUCCESS,
        Standing::Faulty => ExitCode::from(FAULTY),
        Standing::Unreachable => ExitCode::from(FAILED),
    })
}

fn terminal_size() -> Option<Size> {
    let size = rustix::termios::tcgetwinsize(stdout()).ok()?;
    let (columns, rows) = (size.ws_col.into(), size.ws_row.into());
    (columns > 0 && rows > 0).then_some(Size { columns, rows })
}

async fn serve(settings: Settings, notes: &[String]) -> anyhow::Result<ExitCode> {
    for note in notes {
        info!("{note}");
    }
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let listener = config_server::serve::bind(&settings.http).await?;
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
