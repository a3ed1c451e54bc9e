//! Server and sidecars as separate processes, beside a real broker and `git daemon`.

use std::path::Path;
use std::process::Command;

use contract::{CommitId, Outcome};
use tempfile::TempDir;
use test_support::git::GitDaemon;
use test_support::{Broker, Group, eventually};

use examples::stage::program::program;

use crate::harness::{DEADLINE, Server, greet, shop_repository};

/// A sidecar process that keeps one file.
fn sidecar(server: &str, bus: &str, out: &Path) -> Group {
    let mut command = Command::new(program("bus-agent").expect("a program"));
    command
        .args(["--server", server, "--application", "shop", "--profiles", "dev"])
        .args(["--bus", bus, "--interval", "1h", "--format", "properties", "--out"])
        .arg(out);
    Group::spawn(&command).expect("the sidecar starts")
}

async fn holds(file: &Path, text: &str) {
    eventually(text, DEADLINE, async || {
        std::fs::read_to_string(file).ok()?.contains(text).then_some(())
    })
    .await;
}

#[tokio::test]
async fn three_sidecars_follow_a_push_and_the_report_names_them_all() {
    let repository = shop_repository();
    let daemon = GitDaemon::start(&repository).expect("git daemon");
    let (settings, bus) = Server::over(Broker::shared().await).await;
    let server = Server::start(&daemon.uri(), &settings).await.expect("a server");
    let files = TempDir::new().expect("a directory");
    let outs: Vec<_> = (0..3)
        .map(|n| files.path().join(format!("shop-{n}.properties")))
        .collect();
    let _sidecars: Vec<Group> = outs.iter().map(|out| sidecar(&server.url(), &bus, out)).collect();
    for out in &outs {
        holds(out, "hello").await;
    }
    eventually("the server knows all three", DEADLINE, async || {
        (server.agents().await?.len() == 3).then_some(())
    })
    .await;
    let commit = greet(&repository, "pushed");
    server.refresh().await.expect("a report");
    for out in &outs {
        holds(out, "pushed").await;
    }
    let report = eventually("the report is complete", DEADLINE, async || {
        server
            .report_on(&commit)
            .await
            .filter(contract::DeliveryReport::is_complete)
    })
    .await;
    assert_eq!(report.agents.len(), 3, "{report:?}");
    for agent in &report.agents {
        assert_eq!(agent.outcome, Some(Outcome::Applied), "{agent:?}");
        assert_eq!(agent.commit.as_ref().map(CommitId::as_str), Some(commit.as_str()));
        assert!(agent.millis.is_some(), "{agent:?}");
    }
}
