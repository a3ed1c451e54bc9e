//! Requests per second and p99 of a cached read, beside a bare hyper server that sends the same
//! bytes, in one run; and the server's memory on a real repository of some size.
//!
//! `just bench-fetch [--seconds N] [--connections N]`. Both servers are processes of their own and
//! take turns, so that a busy machine slows both alike; the load is made here. While commits land,
//! the reads are measured once more.

mod bare;
mod load;
mod repositories;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};
use config_server::app::runtime;
use examples::{ServerProcess, server_process};

use load::{Load, Measured};
use repositories::Repository;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Turns each server takes; the best one counts, for whatever else ran on the machine only slows.
const TURNS: usize = 3;

#[derive(Debug, Parser)]
#[command(name = "bench-fetch")]
struct Bench {
    /// How long each turn takes
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Connections that ask at the same time
    #[arg(long, default_value_t = 32)]
    connections: usize,
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
    /// The bare hyper server
    #[command(hide = true)]
    Bare { file: String },
}

fn main() -> Result<()> {
    runtime()?.block_on(play(Bench::parse()))
}

async fn play(bench: Bench) -> Result<()> {
    match &bench.role {
        Some(Role::Config { settings }) => server_process::serve(settings).await,
        Some(Role::Bare { file }) => bare::serve(Path::new(file)).await,
        None => compare(&bench).await,
    }
}

#[expect(clippy::print_stdout, reason = "what the program is for")]
async fn compare(bench: &Bench) -> Result<()> {
    let directory = std::env::temp_dir().join(format!("bench-fetch-{}", std::process::id()));
    let load = Load {
        duration: Duration::from_secs(bench.seconds),
        connections: bench.connections,
    };
    for repository in Repository::all(&directory)? {
        println!("{}", measure(&repository, &directory, &load).await?);
    }
    std::fs::remove_dir_all(&directory).context("cannot clean up")?;
    Ok(())
}

async fn measure(repository: &Repository, directory: &Path, load: &Load) -> Result<String> {
    let data = directory.join(repository.name).join("server");
    let config = ServerProcess::start([
        "config",
        &format!("--spring.cloud.config.server.git.uri={}", repository.uri()),
        &format!(
            "--spring.cloud.config.server.git.search-paths={}",
            repository.search_paths
        ),
        &format!("--config-bus.data-dir={}", data.display()),
    ])?;
    let body = load::fetch(config.address, repository.request).await?;
    let same = directory.join("body");
    std::fs::write(&same, &body)?;
    let bare = ServerProcess::start(["bare", &same.display().to_string()])?;
    ensure!(
        load::fetch(bare.address, repository.request).await? == body,
        "both send the same bytes"
    );
    let (mut ours, mut bares) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        bares.push(load.run(bare.address, repository.request).await?);
        ours.push(load.run(config.address, repository.request).await?);
    }
    let moving = repository.keep_committing(config.address);
    let busy = load.run(config.address, repository.request).await?;
    let commits = moving.stop().await?;
    let (ours, bare) = (Measured::best(&ours), Measured::best(&bares));
    Ok(format!(
        "{name}: GET {path}, {size} bytes, {connections} connections\n\
         \x20 bare hyper          {bare}\n\
         \x20 config-server       {ours}   {ratio:.2} of bare\n\
         \x20 while commits land  {busy}   ({commits} commits)\n\
         \x20 memory of the server: {memory} MB",
        name = repository.name,
        path = repository.request,
        size = body.len(),
        connections = load.connections,
        ratio = ours.per_second / bare.per_second,
        memory = config.memory_kilobytes()? / 1024,
    ))
}
