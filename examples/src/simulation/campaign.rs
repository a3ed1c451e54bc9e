//! Many seeds, on as many threads as there are processors.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use tokio::time::Instant;

use super::Broken;
use super::agenda::Millis;
use super::promises::Violation;
use super::world::Tally;

/// Steps before a violation that are shown.
const SHOWN: usize = 30;
/// Violations that are listed.
const LISTED: usize = 20;

/// Which seeds are played.
#[derive(Debug, Clone, Copy)]
pub struct Campaign {
    pub first: u64,
    pub seeds: u64,
    pub broken: Option<Broken>,
}

/// What they amount to.
#[derive(Debug, Default)]
pub struct Totals {
    pub seeds: u64,
    pub events: u64,
    pub time: Millis,
    pub faults: BTreeMap<&'static str, u64>,
    /// The seed of each violation.
    pub violations: Vec<(u64, Violation)>,
    pub took: Duration,
}

impl Campaign {
    /// Plays all of them; with `stop_early` only until one breaks a promise.
    #[must_use]
    pub fn run(self, stop_early: bool) -> Totals {
        let began = Instant::now();
        let next = AtomicU64::new(self.first);
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let mut totals = thread::scope(|scope| {
            let players: Vec<_> = (0..threads)
                .map(|_| scope.spawn(|| self.play(&next, stop_early)))
                .collect();
            let played = players
                .into_iter()
                .map(|player| player.join().expect("no player panics"));
            played.fold(Totals::default(), Totals::and)
        });
        totals.violations.sort_by_key(|(seed, _)| *seed);
        totals.took = began.elapsed();
        totals
    }

    fn play(self, next: &AtomicU64, stop_early: bool) -> Totals {
        let end = self.first + self.seeds;
        let mut totals = Totals::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return totals;
            }
            totals.add(seed, super::play(seed, self.broken));
            if stop_early && !totals.violations.is_empty() {
                next.store(end, Ordering::Relaxed);
            }
        }
    }
}

impl Totals {
    fn add(&mut self, seed: u64, tally: Tally) {
        self.seeds += 1;
        self.events += tally.events;
        self.time += tally.time;
        for (kind, count) in tally.faults {
            *self.faults.entry(kind).or_default() += count;
        }
        self.violations
            .extend(tally.violation.map(|violation| (seed, violation)));
    }

    fn and(mut self, other: Self) -> Self {
        self.seeds += other.seeds;
        self.events += other.events;
        self.time += other.time;
        for (kind, count) in other.faults {
            *self.faults.entry(kind).or_default() += count;
        }
        self.violations.extend(other.violations);
        self
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hours = Duration::from_millis(self.time).as_secs() / 3600;
        writeln!(f, "seeds            {:>12}", self.seeds)?;
        writeln!(f, "simulated hours  {hours:>12}")?;
        writeln!(f, "events           {:>12}", self.events)?;
        for (kind, count) in &self.faults {
            writeln!(f, "  {kind:<32} {count:>9}")?;
        }
        writeln!(f, "violations       {:>12}", self.violations.len())?;
        for (seed, violation) in self.violations.iter().take(LISTED) {
            writeln!(
                f,
                "  seed {seed}: promise {} ({}): {}",
                violation.number, violation.name, violation.why
            )?;
        }
        write!(f, "seconds          {:>12.1}", self.took.as_secs_f64())
    }
}

/// What a violation looks like, with the steps that led to it.
#[must_use]
pub fn explain(seed: u64, violation: &Violation, broken: Option<Broken>) -> String {
    let trace = super::trace(seed, broken).trace;
    let from = trace.len().saturating_sub(SHOWN);
    format!(
        "seed {seed}, promise {} ({}) is broken at {} ms: {}\n{}\nAgain: just simulate --seed {seed}",
        violation.number,
        violation.name,
        violation.at,
        violation.why,
        trace[from..].join("\n"),
    )
}
