//! What a server needs around it, for scripts: a RabbitMQ node and a git daemon of their own.
//!
//! Prints how to reach them as assignments for a shell; they are there until standard input ends.

use anyhow::Result;
use test_support::git::GitDaemon;
use test_support::{Broker, GitFixture};

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "the output of the program")]
async fn main() -> Result<()> {
    let fixture = GitFixture::new()?;
    let daemon = GitDaemon::start(&fixture)?;
    let broker = Broker::launch().await;
    println!("upstream={}", fixture.uri());
    println!("repository={}", daemon.uri());
    println!("broker_port={}", broker.address().port());
    tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink())).await??;
    Ok(())
}
