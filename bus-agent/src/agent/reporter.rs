//! Sends reports, beside the rounds.

use std::time::Duration;

use bus::ReportSink;
use contract::Report;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use tracing::debug;

use crate::reconcile::Pace;

const QUEUE: usize = 16;
/// Events one report answers at most, the newest ones.
const EVENTS: usize = 64;
const DEADLINE: Duration = Duration::from_secs(5);
/// For what is queued when the agent stops.
const FAREWELL: Duration = Duration::from_secs(2);

/// Hands reports to the bus, in order. A report that finds the queue full is dropped: the next one
/// says more.
#[derive(Debug)]
pub(super) struct Reporter {
    queue: mpsc::Sender<Report>,
    task: JoinHandle<()>,
}

impl Reporter {
    pub(super) fn start(sink: Box<dyn ReportSink>, tracker: &TaskTracker, pace: Pace) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let task = tracker.spawn(send(sink, waiting, pace, fastrand::Rng::new()));
        Self { queue, task }
    }

    pub(super) fn report(&self, report: Report) {
        if self.queue.try_send(report).is_err() {
            debug!("a report was dropped: the bus takes them too slowly");
        }
    }

    /// Waits a little for what is queued.
    pub(super) async fn finish(self) {
        let Self { queue, mut task } = self;
        drop(queue);
        if timeout(FAREWELL, &mut task).await.is_err() {
            task.abort();
        }
    }
}

/// One report after the other, each until it is taken: a server that was not listening yet would
/// not know of this agent until something changes. A newer report takes the place of one that waits.
async fn send(sink: Box<dyn ReportSink>, mut waiting: mpsc::Receiver<Report>, pace: Pace, mut rng: fastrand::Rng) {
    while let Some(mut report) = waiting.recv().await {
        let mut failures = 0;
        while !is_taken(&*sink, &report).await {
            failures += 1;
            match timeout(pace.until_retry(failures, None, &mut rng), waiting.recv()).await {
                Err(_) => {}
                Ok(None) => return,
                Ok(Some(newer)) => report = replace(report, newer),
            }
        }
    }
}

async fn is_taken(sink: &dyn ReportSink, report: &Report) -> bool {
    match timeout(DEADLINE, sink.report(report)).await {
        Ok(Ok(())) => return true,
        Ok(Err(error)) => debug!(%error, "a report was not taken"),
        Err(_) => debug!("a report was not taken in time"),
    }
    false
}

/// `newer`, which says what is live now, also answers the events that `older` could not.
fn replace(older: Report, mut newer: Report) -> Report {
    let mut events = older.events;
    events.append(&mut newer.events);
    let surplus = events.len().saturating_sub(EVENTS);
    newer.events = events.split_off(surplus);
    newer
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU32, Ordering};

    use async_trait::async_trait;
    use bus::TransportError;
    use contract::EventId;
    use tokio::sync::mpsc::UnboundedSender;

    use super::*;

    /// Refuses so many reports, then takes the others.
    #[derive(Debug)]
    struct Deaf {
        for_so_many: AtomicU32,
        taken: Mutex<UnboundedSender<Report>>,
    }

    #[async_trait]
    impl ReportSink for Deaf {
        async fn report(&self, report: &Report) -> Result<(), TransportError> {
            let left = self.for_so_many.load(Ordering::Relaxed);
            if left > 0 {
                self.for_so_many.store(left - 1, Ordering::Relaxed);
                return Err(TransportError::Refused("no server takes reports yet".to_owned()));
            }
            let taken = self.taken.lock().expect("no panic");
            taken.send(report.clone()).expect("the test listens");
            Ok(())
        }
    }

    fn report(events: &[&str]) -> Report {
        let json = r#"{"busId":"a:1:b","application":"a","profiles":[],"outcome":"applied","millis":1}"#;
        let mut report: Report = serde_json::from_str(json).expect("a report");
        report.events = events.iter().map(|id| EventId::received(id)).collect();
        report
    }

    fn reporter(deaf_for: u32) -> (Reporter, mpsc::UnboundedReceiver<Report>) {
        let (taken, seen) = mpsc::unbounded_channel();
        let sink = Deaf {
            for_so_many: AtomicU32::new(deaf_for),
            taken: Mutex::new(taken),
        };
        let reporter = Reporter::start(Box::new(sink), &TaskTracker::new(), Pace::default());
        (reporter, seen)
    }

    #[tokio::test(start_paused = true)]
    async fn a_report_nobody_took_is_sent_again_until_somebody_does() {
        let (reporter, mut seen) = reporter(5);
        reporter.report(report(&["one"]));
        assert_eq!(seen.recv().await, Some(report(&["one"])));
        reporter.finish().await;
        assert_eq!(seen.recv().await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_newer_report_also_answers_what_the_waiting_one_could_not() {
        let (reporter, mut seen) = reporter(1);
        reporter.report(report(&["one"]));
        reporter.report(report(&["two"]));
        assert_eq!(seen.recv().await, Some(report(&["one", "two"])));
        reporter.finish().await;
        assert_eq!(seen.recv().await, None);
    }

    #[test]
    fn what_a_report_answers_is_bounded() {
        let many: Vec<String> = (0..EVENTS).map(|n| n.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let replaced = replace(report(&many), report(&["newest"]));
        assert_eq!(replaced.events.len(), EVENTS);
        assert_eq!(replaced.events.last(), Some(&EventId::received("newest")));
    }
}
