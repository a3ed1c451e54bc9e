//! From anybody who has something to say to the one connection that says it.

use async_trait::async_trait;
use contract::{Message, Report};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use super::outlet::{Outlet, Parcel};
use crate::link::{LinkState, ReportSink};
use crate::session::Standing;
use crate::transport::{EventTransport, Receipt, TransportError};

const WAITING: usize = 64;

/// Publishes through whatever session is up.
#[derive(Debug)]
pub(crate) struct Publisher {
    requests: mpsc::Sender<Request>,
    state: watch::Receiver<LinkState>,
    deadline: Duration,
}

/// The other end of a [`Publisher`]; one session after the other serves it.
#[derive(Debug)]
pub(crate) struct Requests(mpsc::Receiver<Request>);

#[derive(Debug)]
struct Request {
    parcel: Parcel,
    answer: oneshot::Sender<Result<Receipt, TransportError>>,
}

impl Publisher {
    pub(crate) fn new(standing: &Standing, deadline: Duration) -> (Self, Requests) {
        let (requests, received) = mpsc::channel(WAITING);
        let publisher = Self {
            requests,
            state: standing.state(),
            deadline,
        };
        (publisher, Requests(received))
    }

    async fn send(&self, parcel: Parcel) -> Result<Receipt, TransportError> {
        self.ready()?;
        let gone = || TransportError::NotConnected("the connection ended".to_owned());
        let answered = async {
            let (answer, answered) = oneshot::channel();
            let request = Request { parcel, answer };
            self.requests.send(request).await.map_err(|_| gone())?;
            answered.await.map_err(|_| gone())?
        };
        timeout(self.deadline, answered)
            .await
            .unwrap_or(Err(TransportError::TimedOut))
    }

    /// Nothing is sent into a blocked connection: it would arrive late, after its repetition.
    fn ready(&self) -> Result<(), TransportError> {
        let reason = match &*self.state.borrow() {
            LinkState::Connected => return Ok(()),
            LinkState::Blocked { reason } => format!("the broker takes no messages: {reason}"),
            LinkState::Waiting { reason, .. } | LinkState::Misconfigured { reason, .. } => reason.clone(),
            LinkState::Connecting { .. } => "connecting".to_owned(),
            LinkState::Stopped => "stopped".to_owned(),
        };
        Err(TransportError::NotConnected(reason))
    }
}

impl Requests {
    /// Sends one request after the other through `outlet`, until the connection can no longer be
    /// trusted, and tells why; `None` when nobody can ask any more.
    pub(crate) async fn relay(&mut self, outlet: &Outlet, standing: &Standing) -> Option<TransportError> {
        while let Some(Request { parcel, answer }) = self.0.recv().await {
            if answer.is_closed() {
                continue;
            }
            let outcome = outlet.send(parcel).await;
            let failed = outcome.as_ref().err().cloned();
            let _ = answer.send(outcome);
            match failed {
                // The message is in the connection already, and a new one would be blocked as well.
                Some(_) if standing.is_blocked() => {}
                Some(error) => return Some(error),
                None => {}
            }
        }
        None
    }

    /// Answers every request with `error`.
    pub(crate) async fn refuse(&mut self, error: &TransportError) {
        while let Some(Request { answer, .. }) = self.0.recv().await {
            let _ = answer.send(Err(error.clone()));
        }
    }
}

#[async_trait]
impl EventTransport for Publisher {
    async fn publish(&self, message: &Message) -> Result<Receipt, TransportError> {
        self.send(Parcel::of_message(message)).await
    }

    fn state(&self) -> watch::Receiver<LinkState> {
        self.state.clone()
    }
}

#[async_trait]
impl ReportSink for Publisher {
    async fn report(&self, report: &Report) -> Result<(), TransportError> {
        let receipt = self.send(Parcel::of_report(report)).await?;
        // An event nobody hears is a status; a report is for the servers, or it is lost.
        let unheard = || TransportError::NotConnected("no server takes reports yet".to_owned());
        receipt.heard.then_some(()).ok_or_else(unheard)
    }
}
