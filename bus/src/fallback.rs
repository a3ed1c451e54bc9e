//! A link that hears through the broker, and through the servers while the broker is away.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use contract::Report;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::link::{Link, LinkState, ReportSink, Signal};
use crate::transport::TransportError;

const SIGNALS: usize = 256;

/// One way to hear; dropping it closes it.
struct Way {
    signals: mpsc::Receiver<Signal>,
    state: watch::Receiver<LinkState>,
}

/// What a way does next.
enum Stir {
    Heard(Signal),
    Changed,
    Ended,
}

/// Both ways, and where they join.
struct Join<F> {
    preferred: Way,
    /// Since when the preferred way is closed.
    closed_since: Option<Instant>,
    detour: Option<Way>,
    open_detour: F,
    signals: mpsc::Sender<Signal>,
    state: watch::Sender<LinkState>,
    /// Whether the detour is open.
    goes_round: watch::Sender<bool>,
    reports: Arc<Reports>,
}

/// Reports go the way that is open.
#[derive(Debug)]
struct Reports {
    preferred: Box<dyn ReportSink>,
    detour: Mutex<Option<Arc<dyn ReportSink>>>,
}

/// Follows `preferred`; once that has been away for `patience`, also the link `open_detour` gives,
/// until `preferred` is back. Runs on a task of `tracker` until `stop` or until the link's signals
/// are dropped.
///
/// Each way says [`Signal::Connected`] when it opens, so nothing is missed between the two. While
/// both are open an event may come twice.
#[must_use]
pub fn fallback(
    preferred: Link,
    open_detour: impl FnMut() -> Link + Send + 'static,
    patience: Duration,
    tracker: &TaskTracker,
    stop: CancellationToken,
) -> Link {
    let (signals, heard) = mpsc::channel(SIGNALS);
    let reports = Arc::new(Reports {
        preferred: preferred.reports,
        detour: Mutex::new(None),
    });
    let state = watch::Sender::new(preferred.state.borrow().clone());
    let goes_round = watch::Sender::new(false);
    let link = Link {
        signals: heard,
        state: state.subscribe(),
        detour: goes_round.subscribe(),
        reports: Box::new(Arc::clone(&reports)),
        traffic: preferred.traffic,
    };
    let join = Join {
        preferred: Way {
            signals: preferred.signals,
            state: preferred.state,
        },
        closed_since: Some(Instant::now()),
        detour: None,
        open_detour,
        signals,
        state,
        goes_round,
        reports,
    };
    tracker.spawn(async move { stop.run_until_cancelled(join.run(patience)).await });
    link
}

impl Way {
    /// A blocked way still hears.
    fn is_open(&self) -> bool {
        matches!(*self.state.borrow(), LinkState::Connected | LinkState::Blocked { .. })
    }

    async fn stir(&mut self) -> Stir {
        tokio::select! {
            signal = self.signals.recv() => signal.map_or(Stir::Ended, Stir::Heard),
            Ok(()) = self.state.changed() => Stir::Changed,
        }
    }
}

impl<F: FnMut() -> Link> Join<F> {
    async fn run(mut self, patience: Duration) {
        loop {
            self.settle(patience);
            let stir = tokio::select! {
                stir = self.preferred.stir() => match stir {
                    Stir::Ended => return,
                    stir => stir,
                },
                stir = stir_of(self.detour.as_mut()) => stir,
                () = passed(self.closed_since, patience), if self.detour.is_none() => continue,
                () = self.signals.closed() => return,
            };
            if let Stir::Heard(signal) = stir
                && self.signals.send(signal).await.is_err()
            {
                return;
            }
        }
    }

    /// Opens or closes the detour, and shows the state of the way that is open.
    fn settle(&mut self, patience: Duration) {
        if self.preferred.is_open() {
            self.closed_since = None;
            if self.detour.take().is_some() {
                self.reports.take(None);
                info!("the broker is back");
            }
        } else if *self.preferred.state.borrow() == LinkState::Stopped {
            self.detour = None;
        } else {
            let since = *self.closed_since.get_or_insert_with(Instant::now);
            if self.detour.is_none() && since.elapsed() >= patience {
                warn!("the broker is away, listening to the servers instead");
                self.open();
            }
        }
        let shown = self.detour.as_ref().unwrap_or(&self.preferred).state.borrow().clone();
        self.state.send_if_modified(|state| {
            let differs = *state != shown;
            *state = shown;
            differs
        });
        let is_open = self.detour.is_some();
        self.goes_round
            .send_if_modified(|open| std::mem::replace(open, is_open) != is_open);
    }

    fn open(&mut self) {
        let link = (self.open_detour)();
        self.reports.take(Some(Arc::from(link.reports)));
        self.detour = Some(Way {
            signals: link.signals,
            state: link.state,
        });
    }
}

impl Reports {
    fn take(&self, detour: Option<Arc<dyn ReportSink>>) {
        *self.detour.lock().unwrap_or_else(PoisonError::into_inner) = detour;
    }
}

#[async_trait]
impl ReportSink for Arc<Reports> {
    async fn report(&self, report: &Report) -> Result<(), TransportError> {
        let detour = self.detour.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match detour {
            Some(detour) => detour.report(report).await,
            None => self.preferred.report(report).await,
        }
    }
}

/// A detour that ended stays as it is: the preferred way decides when it is over.
async fn stir_of(way: Option<&mut Way>) -> Stir {
    if let Some(way) = way {
        match way.stir().await {
            Stir::Ended => {}
            stir => return stir,
        }
    }
    std::future::pending().await
}

async fn passed(since: Option<Instant>, patience: Duration) {
    match since {
        Some(since) => sleep_until(since + patience).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    #[derive(Debug)]
    struct Named(&'static str);

    #[async_trait]
    impl ReportSink for Named {
        async fn report(&self, _: &Report) -> Result<(), TransportError> {
            Err(TransportError::Refused(self.0.to_owned()))
        }
    }

    /// The transport's end of a link.
    struct End {
        signals: mpsc::Sender<Signal>,
        state: watch::Sender<LinkState>,
    }

    fn link(name: &'static str) -> (Link, End) {
        let (signals, heard) = mpsc::channel(8);
        let state = watch::Sender::new(LinkState::Connecting { attempt: 1 });
        let link = Link::new(heard, state.subscribe(), Box::new(Named(name)));
        (link, End { signals, state })
    }

    fn report() -> Report {
        serde_json::from_str(r#"{"busId":"a:1:b","application":"a","profiles":[],"outcome":"applied","millis":1}"#)
            .expect("a report")
    }

    async fn way_of_reports(link: &Link) -> String {
        match link.reports.report(&report()).await {
            Err(TransportError::Refused(name)) => name,
            other => panic!("went nowhere: {other:?}"),
        }
    }

    async fn until(link: &mut Link, wanted: LinkState) {
        link.state
            .wait_for(|state| *state == wanted)
            .await
            .expect("the join lives");
    }

    #[tokio::test(start_paused = true)]
    async fn the_detour_opens_after_the_patience_and_closes_when_the_broker_is_back() {
        let (broker, broker_end) = link("broker");
        let (opened, mut detours) = mpsc::channel(8);
        let open = move || {
            let (detour, end) = link("servers");
            opened.try_send((end, Instant::now())).expect("room");
            detour
        };
        let (tracker, stop, began) = (TaskTracker::new(), CancellationToken::new(), Instant::now());
        let mut joined = fallback(broker, open, PATIENCE, &tracker, stop.clone());

        let (detour, when) = detours.recv().await.expect("a detour");
        assert_eq!(when - began, PATIENCE);
        detour.state.send_replace(LinkState::Connected);
        detour.signals.send(Signal::Connected).await.expect("it is heard");
        until(&mut joined, LinkState::Connected).await;
        assert!(matches!(joined.signals.recv().await, Some(Signal::Connected)));
        assert_eq!(way_of_reports(&joined).await, "servers");
        assert!(*joined.detour.borrow());

        broker_end.state.send_replace(LinkState::Connected);
        broker_end.signals.send(Signal::Connected).await.expect("it is heard");
        detour.signals.closed().await;
        assert!(matches!(joined.signals.recv().await, Some(Signal::Connected)));
        assert_eq!(way_of_reports(&joined).await, "broker");
        joined.detour.wait_for(|open| !open).await.expect("the join lives");

        drop(joined);
        tracker.close();
        tracker.wait().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_short_absence_opens_no_detour_and_a_second_long_one_does() {
        let (broker, broker_end) = link("broker");
        let (opened, mut detours) = mpsc::channel(8);
        let open = move || {
            let (detour, end) = link("servers");
            opened.try_send(end).expect("room");
            detour
        };
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        let mut joined = fallback(broker, open, PATIENCE, &tracker, stop.clone());
        broker_end.state.send_replace(LinkState::Connected);
        until(&mut joined, LinkState::Connected).await;
        let away = || LinkState::Connecting { attempt: 1 };
        for absence in [PATIENCE / 2, PATIENCE / 2] {
            broker_end.state.send_replace(away());
            until(&mut joined, away()).await;
            tokio::time::sleep(absence).await;
            broker_end.state.send_replace(LinkState::Connected);
            until(&mut joined, LinkState::Connected).await;
        }
        assert!(detours.try_recv().is_err());
        broker_end.state.send_replace(away());
        assert!(detours.recv().await.is_some());
        stop.cancel();
        assert!(joined.signals.recv().await.is_none());
    }
}
