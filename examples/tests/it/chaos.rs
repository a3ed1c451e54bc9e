//! The fault table, each fault once. `just chaos` runs it again and again and measures.

use std::sync::Arc;

use anyhow::Result;
use examples::chaos::{Fault, Outcome, broker, disk, git, processes, servers, try_once};
use test_support::Broker;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Scenes that stand at the same time, over all tests of this binary.
const SCENES: usize = 6;

static ROOM: Semaphore = Semaphore::const_new(SCENES);

/// Lets every fault of a group happen once, side by side.
async fn all_are_survived(faults: &'static [Fault]) {
    let tracker = TaskTracker::new();
    let runs: Vec<_> = faults
        .iter()
        .map(|fault| {
            let handle = Handle::current();
            (fault.name, tracker.spawn_blocking(move || once(fault, &handle)))
        })
        .collect();
    let mut troubles = Vec::new();
    for (name, run) in runs {
        match run.await {
            Ok(Ok(outcome)) => troubles.extend(
                outcome
                    .violations
                    .iter()
                    .map(|violation| format!("{name}: {violation}")),
            ),
            Ok(Err(error)) => troubles.push(format!("{name}: {error:#}")),
            Err(broken) => troubles.push(format!("{name}: {broken}")),
        }
    }
    assert!(troubles.is_empty(), "{}", troubles.join("\n"));
}

fn once(fault: &Fault, handle: &Handle) -> Result<Outcome> {
    let _room = handle.block_on(ROOM.acquire())?;
    let broker = match fault.needs.own_broker {
        true => Arc::new(handle.block_on(Broker::launch())),
        false => Arc::clone(handle.block_on(Broker::shared())),
    };
    try_once(fault, broker, &CancellationToken::new())
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_the_broker_are_survived() {
    all_are_survived(broker::FAULTS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_processes_are_survived() {
    all_are_survived(processes::FAULTS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_the_remote_are_survived() {
    all_are_survived(git::FAULTS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_between_servers_are_survived() {
    all_are_survived(servers::FAULTS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn full_disks_are_survived() {
    all_are_survived(disk::FAULTS).await;
}
