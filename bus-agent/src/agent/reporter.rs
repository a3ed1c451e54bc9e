//! Sends reports, beside the rounds.

use std::collections::VecDeque;
use std::time::Duration;

use bus::{ReportSink, TransportError};
use contract::Report;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::task::TaskTracker;
use tracing::debug;

use super::clock::millis;
use crate::reconcile::Pace;

/// Reports that wait; beyond it the oldest are dropped, for the newest say what is live.
const QUEUE: usize = 16;
/// For what is queued when the agent stops.
const FAREWELL: Duration = Duration::from_secs(2);

/// Hands reports to the bus, in order.
#[derive(Debug)]
pub(super) struct Reporter {
    queue: mpsc::Sender<Due>,
    task: JoinHandle<()>,
}

/// A report, when it was made, and when it may go.
struct Due {
    report: Report,
    made: Instant,
    at: Instant,
}

/// Reports on their way.
struct Backlog {
    waiting: mpsc::Receiver<Due>,
    reports: VecDeque<Due>,
    closed: bool,
}

impl Reporter {
    pub(super) fn start(sink: Box<dyn ReportSink>, tracker: &TaskTracker, pace: Pace) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let backlog = Backlog {
            waiting,
            reports: VecDeque::new(),
            closed: false,
        };
        let task = tracker.spawn(send(sink, backlog, pace, fastrand::Rng::new()));
        Self { queue, task }
    }

    /// Sends `report` after those before it, not earlier than `at` unless the agent stops.
    pub(super) fn report(&self, report: Report, at: Instant) {
        let made = Instant::now();
        if self.queue.try_send(Due { report, made, at }).is_err() {
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
/// not know of this agent until something changes.
async fn send(sink: Box<dyn ReportSink>, mut backlog: Backlog, pace: Pace, mut rng: fastrand::Rng) {
    let mut failures = 0;
    while let Some(report) = backlog.next().await {
        match sink.report(&report).await {
            Err(error @ (TransportError::NotConnected(_) | TransportError::TimedOut)) => {
                debug!(%error, "a report was not taken, and will be sent again");
                if backlog.closed {
                    return;
                }
                failures += 1;
                backlog
                    .gather(Instant::now() + pace.until_retry(failures, None, &mut rng))
                    .await;
            }
            taken_or_refused => {
                if let Err(error) = taken_or_refused {
                    debug!(%error, "a report was refused");
                }
                backlog.reports.pop_front();
                failures = 0;
            }
        }
    }
}

impl Due {
    /// The report as it is to be sent at this moment.
    fn sent_now(&self) -> Report {
        let waited = millis(self.made.elapsed());
        Report {
            asked_ago: self.report.asked_ago.map(|ago| ago.saturating_add(waited)),
            ..self.report.clone()
        }
    }
}

impl Backlog {
    /// The report to send next, once it may go; `None` when there will be no more.
    async fn next(&mut self) -> Option<Report> {
        while let Ok(report) = self.waiting.try_recv() {
            self.push(report);
        }
        if self.reports.is_empty() {
            let report = self.waiting.recv().await?;
            self.push(report);
        }
        while let Some(wait) = self.reports.front().map(|oldest| oldest.at)
            && wait > Instant::now()
            && !self.closed
        {
            self.gather(wait).await;
        }
        self.reports.front().map(Due::sent_now)
    }

    /// Takes in what comes until `end`; at once when nothing can come any more.
    async fn gather(&mut self, end: Instant) {
        loop {
            match timeout_at(end, self.waiting.recv()).await {
                Ok(Some(report)) => self.push(report),
                Ok(None) => {
                    self.closed = true;
                    return;
                }
                Err(_) => return,
            }
        }
    }

    fn push(&mut self, report: Due) {
        self.reports.push_back(report);
        if self.reports.len() > QUEUE {
            self.reports.pop_front();
        }
    }
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

    const REFUSED: &str = "refused";

    /// Is away for so many reports, then takes those it does not refuse.
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
                return Err(TransportError::NotConnected("no server takes reports yet".to_owned()));
            }
            if report.events == [EventId::received(REFUSED)] {
                return Err(TransportError::Refused("the server answered 400".to_owned()));
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
        reporter.report(report(&["one"]), Instant::now());
        assert_eq!(seen.recv().await, Some(report(&["one"])));
        reporter.finish().await;
        assert_eq!(seen.recv().await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_report_that_waited_says_how_long_ago_a_server_was_asked_when_it_is_sent() {
        let (reporter, mut seen) = reporter(5);
        let begin = Instant::now();
        let asked = Report {
            asked_ago: Some(7),
            ..report(&["one"])
        };
        reporter.report(asked, begin + Duration::from_secs(3));
        let sent = seen.recv().await.expect("a report");
        assert!(begin.elapsed() > Duration::from_secs(3));
        assert_eq!(sent.asked_ago, Some(7 + millis(begin.elapsed())));
    }

    #[tokio::test(start_paused = true)]
    async fn reports_that_waited_come_in_order_and_the_newest_of_too_many_are_kept() {
        let (reporter, mut seen) = reporter(1);
        let ids: Vec<String> = (0..QUEUE + 2).map(|n| n.to_string()).collect();
        reporter.report(report(&[&ids[0]]), Instant::now());
        tokio::task::yield_now().await;
        for id in &ids[1..] {
            reporter.report(report(&[id]), Instant::now());
            tokio::task::yield_now().await;
        }
        for id in &ids[2..] {
            assert_eq!(seen.recv().await, Some(report(&[id])));
        }
        reporter.finish().await;
        assert_eq!(seen.recv().await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_report_that_is_refused_is_not_sent_again() {
        let (reporter, mut seen) = reporter(0);
        reporter.report(report(&[REFUSED]), Instant::now());
        reporter.report(report(&["good"]), Instant::now());
        assert_eq!(seen.recv().await, Some(report(&["good"])));
        reporter.finish().await;
        assert_eq!(seen.recv().await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_report_waits_for_its_time_unless_the_agent_stops() {
        let (reporter, mut seen) = reporter(0);
        let begin = Instant::now();
        reporter.report(report(&["in a crowd"]), begin + Duration::from_secs(3));
        assert_eq!(seen.recv().await, Some(report(&["in a crowd"])));
        assert_eq!(begin.elapsed(), Duration::from_secs(3));
        reporter.report(report(&["last"]), begin + Duration::from_secs(3600));
        reporter.finish().await;
        assert_eq!(seen.recv().await, Some(report(&["last"])));
        assert!(begin.elapsed() < Duration::from_secs(10));
    }
}
