//! From a commit to the last of many agents, beside what the broker does on its own.
//!
//! `just bench-bus [--agents N] [--streams N] [--rounds N]`. First RabbitMQ: agents in one process,
//! and in turns with them a bare fanout of the same bytes to as many queues. Then the bus inside the
//! server with many more agents, each on a stream of its own. Server, broker and agents share this
//! machine, so what is measured is the work of all of them.

mod agents;
mod figures;
mod fleet;
mod raw;
mod stage;

use std::time::Duration;

use anyhow::Result;
use clap::{Parser, Subcommand};
use config_server::app::runtime;
use examples::server_process;
use test_support::Broker;

use figures::{Figures, Rounds};
use fleet::Fleet;
use raw::RawFanout;
use stage::Stage;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The first rounds fill caches and connections, and are not counted.
const WARM_UP: usize = 2;
/// Agents of the embedded bus in one process: each holds two connections.
const PER_PROCESS: usize = 2_500;

#[derive(Debug, Parser)]
#[command(name = "bench-bus")]
struct Bench {
    /// Agents over RabbitMQ, all in one process; 0 leaves the broker out
    #[arg(long, default_value_t = 1_000)]
    agents: usize,
    /// Agents on the bus inside the server; 0 leaves it out
    #[arg(long, default_value_t = 10_000)]
    streams: usize,
    /// Commits that are measured
    #[arg(long, default_value_t = 20)]
    rounds: usize,
    #[command(subcommand)]
    role: Option<Role>,
}

/// What a child process does.
#[derive(Debug, Subcommand)]
enum Role {
    /// The config server
    #[command(hide = true)]
    Config {
        #[arg(allow_hyphen_values = true)]
        settings: Vec<String>,
    },
    /// Agents
    #[command(hide = true)]
    Agents { server: String, bus: String, number: usize },
}

fn main() -> Result<()> {
    runtime()?.block_on(play(Bench::parse()))
}

async fn play(bench: Bench) -> Result<()> {
    match &bench.role {
        Some(Role::Config { settings }) => server_process::serve(settings).await,
        Some(Role::Agents { server, bus, number }) => agents::run(server, bus, *number).await,
        None => compare(&bench).await,
    }
}

#[expect(clippy::print_stdout, reason = "what the program is for")]
async fn compare(bench: &Bench) -> Result<()> {
    if bench.agents > 0 {
        println!("{}", over_rabbitmq(bench).await?);
    }
    if bench.streams > 0 {
        println!("{}", inside_the_server(bench).await?);
    }
    Ok(())
}

async fn over_rabbitmq(bench: &Bench) -> Result<String> {
    let broker = Broker::launch().await;
    let port = broker.address().port();
    let stage = Stage::open(&[&format!("--spring.rabbitmq.port={port}")])?;
    let mut raw = RawFanout::start(port, bench.agents).await?;
    let bus = format!("amqp://127.0.0.1:{port}/%2f");
    let mut fleet = Fleet::start(&stage.url(), &bus, &[bench.agents]).await?;
    let (mut bare, mut ours) = (Rounds::default(), Rounds::default());
    let mut requests = 0;
    for round in 1..=WARM_UP + bench.rounds {
        let took = raw.publish().await?;
        let before = stage.requests().await?;
        let applied = round_of(round, &stage, &mut fleet).await?;
        if round > WARM_UP {
            bare.add(took);
            ours.add(applied);
            requests += stage.requests().await? - before;
        }
    }
    let unaffected = stage.requests_for_others().await?;
    let (bare, ours) = (bare.figures(), ours.figures());
    Ok(format!(
        "RabbitMQ, {agents} agents in one process, {rounds} commits\n\
         {head}\n\
         \x20 bare fanout to as many queues  {bare}\n\
         \x20 commit to applied              {ours}   last: {ratio:.2} of bare\n\
         \x20 requests for configuration: {each} a commit, {unaffected} for a commit that touches nobody here\n\
         \x20 memory of the server: {memory} MB\n",
        agents = bench.agents,
        rounds = bench.rounds,
        head = Figures::HEAD,
        ratio = ours.last_of(&bare),
        each = requests / bench.rounds,
        memory = stage.memory_kilobytes()? / 1024,
    ))
}

async fn inside_the_server(bench: &Bench) -> Result<String> {
    let stage = Stage::open(&[])?;
    let alone = stage.memory_kilobytes()? / 1024;
    let firsts = (0..bench.streams).step_by(PER_PROCESS);
    let numbers: Vec<usize> = firsts.map(|first| PER_PROCESS.min(bench.streams - first)).collect();
    let mut fleet = Fleet::start(&stage.url(), "embedded", &numbers).await?;
    let mut ours = Rounds::default();
    for round in 1..=WARM_UP + bench.rounds {
        let applied = round_of(round, &stage, &mut fleet).await?;
        if round > WARM_UP {
            ours.add(applied);
        }
    }
    Ok(format!(
        "Built-in bus, {agents} agents in {processes} processes, {rounds} commits\n\
         {head}\n\
         \x20 commit to applied              {ours}\n\
         \x20 memory of the server: {memory} MB with all of them, {alone} MB without\n",
        agents = bench.streams,
        processes = numbers.len(),
        rounds = bench.rounds,
        head = Figures::HEAD,
        ours = ours.figures(),
        memory = stage.memory_kilobytes()? / 1024,
    ))
}

/// One commit until everybody has applied and reported it.
async fn round_of(round: usize, stage: &Stage, fleet: &mut Fleet) -> Result<Vec<Duration>> {
    let began = stage.commit(round)?;
    let (announced, applied) = tokio::join!(stage.announce(), fleet.applied(round, began));
    announced?;
    applied
}

/// Bounds every wait: far more than anything takes.
const DEADLINE: Duration = Duration::from_secs(120);
