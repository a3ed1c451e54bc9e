//! One run of one fault: is everything whole again, and were the promises kept.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use contract::delivery::EventState;
use test_support::{Broker, within};
use tokio::runtime::Builder;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{Fault, Scene};
use crate::stage::history::judge;
use crate::stage::{DEADLINE, Follower, Violation};

/// A run that takes longer hangs.
const WHOLE_RUN: Duration = Duration::from_secs(240);

/// What one run showed.
#[derive(Debug)]
pub struct Outcome {
    /// From the lifting of the fault until everybody ran the newest commit.
    pub convergence: Option<Duration>,
    /// Promises that were not kept.
    pub violations: Vec<Violation>,
}

/// Sets a scene on `broker`, lets `fault` happen in it, and judges. Blocks: a run has a runtime of its
/// own, with which everything ends that the run began. `stop` breaks it off.
///
/// # Errors
/// When the run could not be made: then nothing is known about the fault.
pub fn try_once(fault: &Fault, broker: Arc<Broker>, stop: &CancellationToken) -> Result<Outcome> {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let run = timeout(WHOLE_RUN, run(fault, broker));
    runtime
        .block_on(stop.run_until_cancelled(run))
        .context("it was stopped")?
        .with_context(|| format!("it was not over within {WHOLE_RUN:?}"))?
}

async fn run(fault: &Fault, broker: Arc<Broker>) -> Result<Outcome> {
    let mut scene = Scene::set(fault.needs, broker).await.context("the scene")?;
    let since = (fault.story)(&mut scene).await.context("the story")?;
    let whole = within("everybody runs the newest commit", DEADLINE, async || {
        scene.is_whole().then(|| since.elapsed())
    })
    .await;
    let mut violations = broken_promises(&scene);
    match &whole {
        Ok(_) => violations.extend(report_of(&scene).await.err()),
        Err(late) => violations.push(Violation::LeftBehind(format!("{late}: {}", standing(&scene)))),
    }
    Ok(Outcome {
        convergence: whole.ok(),
        violations,
    })
}

fn broken_promises(scene: &Scene) -> Vec<Violation> {
    let stood = scene.configurations.stood();
    let histories = scene.histories();
    histories.iter().flat_map(|history| judge(stood, history)).collect()
}

/// Waits until the servers can account for everybody but whom the fault killed.
async fn report_of(scene: &Scene) -> Result<(), Violation> {
    let mut last = BTreeSet::new();
    let told = within("the report is complete", DEADLINE, async || {
        last = accounted(scene).await?;
        let followers = scene.followers().all(|follower| last.contains(&follower.bus_id()));
        // A sidecar that was killed came back under another name, after the event.
        (followers && last.len() + scene.killed > scene.followers().count()).then_some(())
    });
    told.await
        .map_err(|late| Violation::Report(format!("{late}, only of {last:?}")))
}

/// Who answered to the event of the newest commit, which has left; or is silent because it learned
/// of the commit otherwise, and is known to run it. `None` while the event has not left. Agents
/// without a broker report to one of several servers only.
async fn accounted(scene: &Scene) -> Option<BTreeSet<String>> {
    let commit = &scene.configurations.current().commit;
    let mut has_left = false;
    let mut accounted = BTreeSet::new();
    for node in &scene.nodes {
        if let Some(report) = node.server.report_on(commit).await {
            has_left |= report.state == EventState::Published;
            let answered = report.agents.into_iter().filter(|agent| agent.outcome.is_some());
            accounted.extend(answered.map(|agent| agent.bus_id.to_string()));
        }
        let agents = node.server.agents().await.unwrap_or_default().into_iter();
        let running = agents.filter(|agent| agent.commit.as_ref().is_some_and(|id| id.as_str() == commit));
        accounted.extend(running.map(|agent| agent.bus_id.to_string()));
    }
    has_left.then_some(accounted)
}

/// How everybody stands, for a violation.
fn standing(scene: &Scene) -> String {
    let wanted = &scene.configurations.current().commit;
    let troubles: Vec<String> = scene.followers().map(Follower::trouble).collect();
    let tail = |text: String| text.lines().rev().take(8).collect::<Vec<_>>().join("\n");
    format!(
        "wanted {wanted}, running {:?}, followers {troubles:?}\nthe server, newest first:\n{}\nthe sidecar:\n{}",
        scene.running(),
        tail(scene.server().said()),
        tail(scene.sidecar.said())
    )
}
