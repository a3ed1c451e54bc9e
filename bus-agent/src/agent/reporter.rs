//! Sends reports, beside the rounds.

use std::time::Duration;

use bus::ReportSink;
use contract::Report;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use tracing::debug;

const QUEUE: usize = 16;
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
    pub(super) fn start(sink: Box<dyn ReportSink>, tracker: &TaskTracker) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let task = tracker.spawn(send(sink, waiting));
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

async fn send(sink: Box<dyn ReportSink>, mut waiting: mpsc::Receiver<Report>) {
    while let Some(report) = waiting.recv().await {
        match timeout(DEADLINE, sink.report(&report)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => debug!(%error, "a report was not taken"),
            Err(_) => debug!("a report was not taken in time"),
        }
    }
}
