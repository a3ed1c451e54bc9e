//! Tells how a round ended: to the servers, to the log, to whoever watches the state. And that
//! somebody wants this process to end.

use std::time::{Duration, SystemTime};

use contract::{EventId, Outcome, Report, Shutdown};
use tokio::time::Instant;
use tracing::{debug, info, warn};

use super::Task;
use crate::agent::clock::millis;
use crate::agent::state::Problem;
use crate::apply::Applier;
use crate::reconcile::Ended;

impl<A: Applier> Task<A> {
    pub(super) fn report(&self, ended: Ended) {
        let due = Instant::now() + ended.report_in;
        let report = self.report_of(ended);
        log(&report);
        self.state.send_modify(|state| {
            state.outcome = Some(report.outcome);
            state.last_error = report.reason.clone().map(problem);
        });
        if let Some(reporter) = &self.reporter {
            reporter.report(report, due);
        }
    }

    fn report_of(&self, ended: Ended) -> Report {
        let live = self.reconciler.live();
        Report {
            bus_id: self.follows.bus_id.clone(),
            application: self.follows.application.clone(),
            profiles: self.follows.profiles.clone(),
            label: self.follows.label.clone(),
            events: ended.events,
            commit: live.and_then(|live| live.commit()),
            digest: live.map(|live| live.digest.clone()),
            outcome: ended.outcome,
            reason: ended.reason,
            millis: millis(ended.took),
            asked_ago: self.asked.map(|asked| millis(asked.elapsed())),
        }
    }

    /// The owner ends the process, or does not.
    pub(super) fn shutdown(&mut self, event: EventId, origin: &str, verdict: Shutdown) {
        if let Some(reason) = verdict.reason_to_stay() {
            info!(event.id = %event, origin, reason, "a shutdown event is ignored");
            return;
        }
        info!(event.id = %event, origin, "a shutdown event asks this process to end");
        self.ended_by.get_or_insert(event);
        self.state
            .send_modify(|state| state.shutdown_asked = state.shutdown_asked.or_else(|| Some(SystemTime::now())));
    }

    pub(super) async fn farewell(mut self) {
        let last = self.report_of(Ended {
            events: self.ended_by.iter().cloned().collect(),
            outcome: Outcome::Stopped,
            reason: None,
            took: Duration::ZERO,
            report_in: Duration::ZERO,
        });
        if let Some(reporter) = self.reporter.take() {
            reporter.report(last, Instant::now());
            reporter.finish().await;
        }
    }
}

fn log(report: &Report) {
    let commit = report.commit.as_ref().map(ToString::to_string);
    let reason = report.reason.as_deref();
    match report.outcome {
        Outcome::Applied => info!(
            commit.id = commit,
            duration_ms = report.millis,
            "the configuration is live"
        ),
        Outcome::Failed => warn!(commit.id = commit, reason, "the configuration could not be renewed"),
        Outcome::Vetoed => warn!(
            commit.id = commit,
            reason, "the configuration was refused; the old one stays"
        ),
        _ => debug!(commit.id = commit, duration_ms = report.millis, "nothing changed"),
    }
}

pub(super) fn problem(text: String) -> Problem {
    Problem {
        text,
        at: SystemTime::now(),
    }
}
