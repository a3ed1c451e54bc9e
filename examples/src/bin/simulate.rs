//! Plays servers, bus and agents through many seeded histories and checks the promises on each.
//!
//! `just simulate [--seeds N] [--first N]`; `--seed N` shows one history step by step.

use std::io::{Write, stdout};

use anyhow::{Result, bail};
use clap::Parser;
use examples::simulation::campaign::explain;
use examples::simulation::{self, Broken, Campaign};

/// A run makes and drops a great many small things, on every processor at once.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Debug, Parser)]
#[command(name = "simulate")]
struct Simulate {
    /// How many histories
    #[arg(long, default_value_t = 20_000)]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Show this one, step by step
    #[arg(long)]
    seed: Option<u64>,
    /// Put in a defect that the promises must catch
    #[arg(long)]
    broken: Option<Broken>,
}

fn main() -> Result<()> {
    let asked = Simulate::parse();
    match asked.seed {
        Some(seed) => show(seed, asked.broken),
        None => play(&asked),
    }
}

fn show(seed: u64, broken: Option<Broken>) -> Result<()> {
    let tally = simulation::trace(seed, broken);
    let mut out = stdout().lock();
    for line in &tally.trace {
        writeln!(out, "{line}")?;
    }
    match tally.violation {
        Some(violation) => bail!("promise {} ({}): {}", violation.number, violation.name, violation.why),
        None => Ok(writeln!(out, "every promise was kept")?),
    }
}

fn play(asked: &Simulate) -> Result<()> {
    let campaign = Campaign {
        first: asked.first,
        seeds: asked.seeds,
        broken: asked.broken,
    };
    let totals = campaign.run(false);
    let mut out = stdout().lock();
    writeln!(out, "{totals}")?;
    match totals.violations.first() {
        Some((seed, violation)) => bail!("{}", explain(*seed, violation, asked.broken)),
        None => Ok(()),
    }
}
