//! Breaks everything that can break, again and again, and prints how long it took to be whole again.
//!
//! `just chaos [--runs N] [--fault NAME]... [--list] [--report FILE]`. Each run sets up a server, a
//! RabbitMQ node, a git remote and agents of every kind, waits until all is well, lets the fault
//! happen, commits meanwhile, lifts the fault, and measures from there until every agent runs the
//! newest commit. Then it holds what every agent applied against the promises.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use clap::Parser;
use examples::chaos::table::HEAD;
use examples::chaos::{Fault, Outcome, Row, faults, try_once};
use test_support::Broker;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

#[derive(Debug, Parser)]
#[command(name = "chaos", about = "Breaks everything that can break, and measures")]
struct Chaos {
    /// How often each fault happens
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Only this fault; several may be named
    #[arg(long = "fault", value_name = "NAME")]
    named: Vec<String>,
    /// Tell what there is and end
    #[arg(long)]
    list: bool,
    /// Write the table to this file too
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let chaos = Chaos::parse();
    let chosen = chosen(&chaos.named)?;
    if chaos.list {
        for fault in chosen {
            say(format_args!("{:<28}{}", fault.name, fault.about))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let stop = CancellationToken::new();
    let playing = play(&chosen, chaos.runs, &stop);
    tokio::pin!(playing);
    let rows = tokio::select! {
        rows = &mut playing => rows?,
        _ = tokio::signal::ctrl_c() => {
            stop.cancel();
            playing.await?
        }
    };
    end(&rows, chaos.report)
}

fn chosen(named: &[String]) -> Result<Vec<&'static Fault>> {
    if let Some(stranger) = named.iter().find(|name| !faults().any(|fault| fault.name == **name)) {
        bail!("there is no fault called {stranger}: see --list");
    }
    let wanted = |fault: &&Fault| named.is_empty() || named.iter().any(|name| name == fault.name);
    Ok(faults().filter(wanted).collect())
}

async fn play(chosen: &[&'static Fault], runs: usize, stop: &CancellationToken) -> Result<Vec<Row>> {
    let shared = Arc::new(Broker::launch().await);
    let mut rows = Vec::new();
    for fault in chosen {
        let broker = match fault.needs.own_broker {
            true => Arc::new(Broker::launch().await),
            false => Arc::clone(&shared),
        };
        let mut row = Row {
            name: fault.name,
            runs,
            ..Row::default()
        };
        for run in 1..=runs {
            let outcome = guarded(fault, Arc::clone(&broker), stop.clone()).await;
            if stop.is_cancelled() {
                bail!("stopped");
            }
            note(&mut row, run, outcome)?;
        }
        rows.push(row);
    }
    Ok(rows)
}

/// A run on a thread of its own: what panics in it ends that run only.
async fn guarded(fault: &'static Fault, broker: Arc<Broker>, stop: CancellationToken) -> Result<Outcome> {
    let running = TaskTracker::new().spawn_blocking(move || try_once(fault, broker, &stop));
    running.await.context("the run broke off")?
}

fn note(row: &mut Row, run: usize, outcome: Result<Outcome>) -> Result<()> {
    let Row { name, runs, .. } = row;
    match outcome {
        Ok(outcome) => {
            let took = outcome
                .convergence
                .map_or_else(|| "never".to_owned(), |took| format!("{took:.2?}"));
            say(format_args!("{name} {run}/{runs}: {took}"))?;
            for violation in &outcome.violations {
                say(format_args!("  violated: {violation}"))?;
            }
            row.convergences.extend(outcome.convergence);
            row.violations += outcome.violations.len();
        }
        Err(error) => {
            say(format_args!("{name} {run}/{runs}: could not be run: {error:#}"))?;
            row.violations += 1;
        }
    }
    Ok(())
}

fn end(rows: &[Row], report: Option<PathBuf>) -> Result<ExitCode> {
    let lines: Vec<String> = rows.iter().map(ToString::to_string).collect();
    let table = format!("{HEAD}\n{}\n", lines.join("\n"));
    say(format_args!("\n{table}"))?;
    if let Some(file) = report {
        fs::write(&file, &table).with_context(|| format!("cannot write {}", file.display()))?;
    }
    let kept = rows.iter().all(|row| row.violations == 0);
    Ok(if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn say(line: std::fmt::Arguments<'_>) -> Result<()> {
    writeln!(io::stdout().lock(), "{line}").context("standard output is gone")
}
