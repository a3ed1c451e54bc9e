//! Many agents in this process; each tells when a round is live.

use std::io::Write;
use std::iter::once;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use bus_agent::apply::{Applier, Veto};
use bus_agent::{Agent, Bus, Configuration, Follows, KeysChanged};
use tokio::task::{JoinSet, spawn_blocking};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Agents that start at the same time.
const AT_ONCE: usize = 32;
/// Longer than the measurement: only the bus makes anybody look.
const INTERVAL: Duration = Duration::from_secs(3600);

/// Tells which round is live, and since when.
struct Teller(Sender<(String, SystemTime)>);

impl Applier for Teller {
    async fn apply(&mut self, new: &Arc<Configuration>, _: &KeysChanged) -> Result<(), Veto> {
        let now = SystemTime::now();
        let round = new.get("round").map(|entry| entry.text()).unwrap_or_default();
        // When nobody takes it, the measurement has ended.
        let _ = self.0.send((round, now));
        Ok(())
    }
}

/// Runs `number` agents of `server`: says `ready` once all of them are live, then a line with the
/// round and the microseconds since 1970 whenever one has applied it. Ends when it is killed.
pub(crate) async fn run(server: &str, bus: &str, number: usize) -> Result<()> {
    let (applied, told) = channel();
    let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
    let (mut starting, mut agents) = (JoinSet::new(), Vec::with_capacity(number));
    for _ in 0..number {
        if starting.len() >= AT_ONCE {
            agents.push(next(&mut starting).await?);
        }
        let bus = match bus {
            "embedded" => Bus::Embedded,
            url => Bus::amqp(url)?,
        };
        let agent = Agent::builder().server(server).bus(bus).interval(INTERVAL);
        let follows = Follows::new("bench".parse()?, Vec::new(), None);
        let (teller, tracker, stop) = (Teller(applied.clone()), tracker.clone(), stop.clone());
        starting.spawn(async move { Ok(agent.fail_fast(true).start(follows, teller, &tracker, &stop).await?) });
    }
    while agents.len() < number {
        agents.push(next(&mut starting).await?);
    }
    for agent in &agents {
        agent.state().wait_for(|state| state.connected).await?;
    }
    spawn_blocking(move || tell(&told)).await?
}

async fn next(starting: &mut JoinSet<Result<Agent>>) -> Result<Agent> {
    starting.join_next().await.context("nobody starts")??
}

fn tell(told: &Receiver<(String, SystemTime)>) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "ready")?;
    out.flush()?;
    while let Ok(first) = told.recv() {
        // One write for all that came meanwhile: the agents are measured, not their telling.
        let lines = once(first).chain(told.try_iter()).map(|(round, at)| {
            let micros = at.duration_since(SystemTime::UNIX_EPOCH)?.as_micros();
            Ok(format!("{round} {micros}\n"))
        });
        out.write_all(lines.collect::<Result<String>>()?.as_bytes())?;
        out.flush()?;
    }
    Ok(())
}
