//! Drives a supervised connection: one session after the other, with the machine's delays between.

use std::future::Future;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::link::LinkState;
use crate::supervise::{Event, Fault, Patience, Supervisor};

/// One life of a connection, made anew for each attempt.
pub(crate) trait Session: Send {
    /// Connects, says [`Standing::established`], serves until the connection ends, says why.
    fn live(&mut self, standing: &Standing) -> impl Future<Output = Fault> + Send;
}

/// How a connection stands: the machine, and the state it shows.
#[derive(Debug)]
pub(crate) struct Standing {
    name: &'static str,
    began: Instant,
    machine: Mutex<Supervisor>,
    state: watch::Sender<LinkState>,
}

impl Standing {
    /// `name` is what the log calls the connection.
    pub(crate) fn new(name: &'static str, patience: Patience) -> Self {
        Self {
            name,
            began: Instant::now(),
            machine: Mutex::new(Supervisor::new(patience)),
            state: watch::Sender::new(LinkState::Connecting { attempt: 1 }),
        }
    }

    pub(crate) fn state(&self) -> watch::Receiver<LinkState> {
        self.state.subscribe()
    }

    pub(crate) fn established(&self) {
        self.note(Event::Established);
        info!(connection = self.name, "connected");
    }

    pub(crate) fn blocked(&self, reason: String) {
        warn!(connection = self.name, reason, "the broker takes no messages");
        self.note(Event::Blocked(reason));
    }

    pub(crate) fn unblocked(&self) {
        info!(connection = self.name, "the broker takes messages again");
        self.note(Event::Unblocked);
    }

    pub(crate) fn is_blocked(&self) -> bool {
        matches!(*self.state.borrow(), LinkState::Blocked { .. })
    }

    fn note(&self, event: Event) -> LinkState {
        let mut machine = self.machine.lock().unwrap_or_else(PoisonError::into_inner);
        let state = machine.next(event, self.began.elapsed(), fastrand::f64()).clone();
        self.state.send_replace(state.clone());
        state
    }
}

/// Keeps `session` alive until `stop`.
pub(crate) async fn keep(mut session: impl Session, standing: &Standing, stop: &CancellationToken) {
    let forever = async {
        loop {
            standing.note(Event::Begun);
            let fault = session.live(standing).await;
            match standing.note(Event::Ended(fault)) {
                LinkState::Waiting { reason, delay } => {
                    warn!(
                        connection = standing.name,
                        reason,
                        delay_ms = delay.as_millis(),
                        "not connected"
                    );
                    sleep(delay).await;
                }
                LinkState::Misconfigured { reason, delay } => {
                    tracing::error!(
                        connection = standing.name,
                        reason,
                        "cannot connect until this is mended"
                    );
                    sleep(delay).await;
                }
                _ => return,
            }
        }
    };
    tokio::select! {
        biased;
        () = stop.cancelled() => {}
        () = forever => {}
    }
    standing.note(Event::Stopped);
}
