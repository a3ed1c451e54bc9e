//! The whole flow in one command: a git repository, the config server with its embedded bus, and a
//! service that follows.
//!
//! `cargo run -p examples --bin demo` stays up and tells what to try; with `--once` it commits a
//! change itself, waits until the service's typed value is new, prints the milliseconds and ends.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Parser;
use client_sdk::{ConfigClient, Watch};
use config_server::settings::arguments::Arguments;
use config_server::settings::load::{Disk, Sources, load};
use config_server::{app, serve};
use examples::{SampleRepository, Storefront};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

/// Shows a commit arriving in a running service.
#[derive(Debug, Parser)]
struct Demo {
    /// Commit one change, wait for it to arrive, print how long it took, and end
    #[arg(long)]
    once: bool,
    /// Where the repository and the server's files are kept; a fresh directory unless given
    #[arg(long)]
    dir: Option<PathBuf>,
    /// The server's port; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
}

/// How long a change may take before the demo gives up.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::main]
async fn main() -> Result<()> {
    let demo = Demo::parse();
    let quiet = if demo.once {
        "error"
    } else {
        "warn,config_server::change=info,config_server::app=info"
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(quiet));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    let own_dir = demo.dir.is_none();
    let dir = demo.dir.clone().unwrap_or_else(fresh_directory);
    let outcome = run(&demo, &dir).await;
    if own_dir {
        // Best effort: a directory under the system's temporary one is no loss.
        let _ = std::fs::remove_dir_all(&dir);
    }
    outcome
}

async fn run(demo: &Demo, dir: &Path) -> Result<()> {
    let repository = SampleRepository::open(&dir.join("config-repo"))?;
    let stop = CancellationToken::new();
    let (address, server) = start_server(&repository, dir, demo.port, stop.clone()).await?;
    let server = server_task(server);
    let outcome = follow(demo, &repository, address).await;
    stop.cancel();
    let stopped = server.await.context("the server ended badly")?;
    outcome.and(stopped)
}

async fn start_server(
    repository: &SampleRepository,
    dir: &Path,
    port: u16,
    stop: CancellationToken,
) -> Result<(SocketAddr, impl Future<Output = Result<()>> + Send + use<>)> {
    let line = [
        "demo".to_owned(),
        format!("--repo={}", repository.uri()),
        format!("--port={port}"),
        format!("--data-dir={}", dir.join("server").display()),
        "--server.address=127.0.0.1".to_owned(),
    ];
    let settings = load(&Sources {
        arguments: &Arguments::parse(line)?.properties,
        environment: &BTreeMap::new(),
        files: &Disk,
    })?;
    let listener = serve::bind(&settings.http).await?;
    let address = listener.local_addr()?;
    Ok((address, async move { Ok(app::run(listener, settings, stop).await?) }))
}

#[expect(clippy::disallowed_methods, reason = "the demo's main owns this task and awaits it")]
fn server_task(server: impl Future<Output = Result<()>> + Send + 'static) -> tokio::task::JoinHandle<Result<()>> {
    tokio::spawn(server)
}

/// The service: what any program does that embeds the SDK.
async fn follow(demo: &Demo, repository: &SampleRepository, address: SocketAddr) -> Result<()> {
    let client = ConfigClient::builder()
        .server(format!("http://{address}"))
        .application("storefront")
        .profiles(["dev"])
        .fail_fast(true)
        .build()
        .await?;
    let storefront = client.watch::<Storefront>("")?;
    let outcome = if demo.once {
        change_once(repository, storefront).await
    } else {
        invite(repository, address);
        show_changes(storefront).await
    };
    client.close().await;
    outcome
}

#[expect(clippy::print_stdout, reason = "what the demo shows")]
async fn change_once(repository: &SampleRepository, mut storefront: Watch<Storefront>) -> Result<()> {
    let before = storefront.get().page_size;
    let wanted = before + 1;
    println!("storefront runs with page-size {before}; committing page-size {wanted}");
    let content = format!("greeting: Welcome to Acme (development)\npage-size: {wanted}\n");
    repository.change("storefront-dev.yml", &content)?;
    let committed = Instant::now();
    let arrived = async {
        while storefront.get().page_size != wanted {
            storefront.changed().await?;
        }
        anyhow::Ok(committed.elapsed())
    };
    let took = timeout(PATIENCE, arrived)
        .await
        .context("the change did not arrive")??;
    println!("commit to applied: {} ms", took.as_millis());
    Ok(())
}

#[expect(clippy::print_stdout, reason = "what the demo shows")]
fn invite(repository: &SampleRepository, address: SocketAddr) {
    let path = repository.path().display();
    println!(
        "
The config server serves http://{address}, and the service `storefront` (profile `dev`) follows it.

Try, in another terminal:

  edit    {path}/storefront-dev.yml
  commit  git -C {path} commit -am 'Try it'        (the service prints its new value below)

  curl http://{address}/storefront/dev             what the service gets
  curl http://{address}/orders-prod.yml            another application, merged into one file
  curl http://{address}/storefront/dev/main/nginx.conf
  curl -X POST http://{address}/bus/refresh?wait=5s    refresh everybody, and hear how it went
  curl http://{address}/bus/agents                 who runs which commit

Ctrl-C ends it.
"
    );
}

#[expect(clippy::print_stdout, reason = "what the demo shows")]
async fn show_changes(mut storefront: Watch<Storefront>) -> Result<()> {
    println!("storefront: {:?}", storefront.to_arc());
    loop {
        tokio::select! {
            changed = storefront.changed() => changed?,
            interrupt = tokio::signal::ctrl_c() => return Ok(interrupt?),
        }
        println!("storefront: {:?}", storefront.to_arc());
    }
}

fn fresh_directory() -> PathBuf {
    std::env::temp_dir().join(format!("config-bus-demo-{}", std::process::id()))
}
