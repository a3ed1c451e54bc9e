//! The agent's side: follows `GET /bus/events` of the first server that answers, for ever.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use contract::{Message, Report};
use futures_util::{Stream, StreamExt};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderName};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use super::sse::{Decoder, SseEvent};
use super::{EVENTS_PATH, EXPIRED, KEEP_ALIVE, REPORTS_PATH, RESYNC, SubscriberQuery};
use crate::link::{Link, ReportSink, Signal, Traffic};
use crate::secret::Credentials;
use crate::session::{Session, Standing, keep};
use crate::subscriber::{Concern, Subscriber};
use crate::supervise::{Fault, Patience};
use crate::transport::TransportError;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const EVENT_STREAM: &str = "text/event-stream";
const SIGNALS: usize = 256;
/// For connecting and for the head of the answer.
const ANSWER_DEADLINE: Duration = Duration::from_secs(10);
const REPORT_DEADLINE: Duration = Duration::from_secs(5);
/// A stream has no end; this only replaces a shorter limit the client may have been built with.
const A_YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// Where and how to follow.
#[derive(Clone)]
pub struct FollowSettings {
    /// Base URLs of the servers, tried in order.
    pub servers: Vec<Url>,
    /// The client to ask with; must have no read timeout.
    pub http: Client,
    /// For basic authentication.
    pub credentials: Option<Credentials>,
    /// How often the server shows that it lives; three times as long in silence is a lost
    /// connection.
    pub keep_alive: Duration,
    /// How to try again.
    pub patience: Patience,
}

/// The servers, and which of them answered last.
#[derive(Debug)]
struct Servers {
    settings: FollowSettings,
    current: AtomicUsize,
}

/// Follows the stream, one connection after the other.
struct Follower {
    servers: Arc<Servers>,
    subscriber: Subscriber,
    signals: mpsc::Sender<Signal>,
    traffic: Arc<Traffic>,
    last_event_id: Option<String>,
}

#[derive(Debug)]
struct HttpReports(Arc<Servers>);

/// Servers by scheme, host and port: their URLs may hold a password.
impl fmt::Debug for FollowSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let servers: Vec<_> = self
            .servers
            .iter()
            .map(|url| url.origin().ascii_serialization())
            .collect();
        f.debug_struct("FollowSettings")
            .field("servers", &servers)
            .field("credentials", &self.credentials)
            .finish_non_exhaustive()
    }
}

impl FollowSettings {
    /// Follows `servers` with `http` and the usual times.
    #[must_use]
    pub fn new(servers: Vec<Url>, http: Client) -> Self {
        Self {
            servers,
            http,
            credentials: None,
            keep_alive: KEEP_ALIVE,
            patience: Patience::default(),
        }
    }
}

/// Follows the embedded bus as `subscriber`, on a task of `tracker`, until `stop` or until the
/// link's signals are dropped.
#[must_use]
pub fn follow(
    settings: FollowSettings,
    subscriber: Subscriber,
    tracker: &TaskTracker,
    stop: CancellationToken,
) -> Link {
    let (signals, heard) = mpsc::channel(SIGNALS);
    let standing = Standing::new("events", settings.patience);
    let servers = Arc::new(Servers {
        settings,
        current: AtomicUsize::new(0),
    });
    let link = Link::new(heard, standing.state(), Box::new(HttpReports(Arc::clone(&servers))));
    let follower = Follower {
        servers,
        subscriber,
        signals: signals.clone(),
        traffic: Arc::clone(&link.traffic),
        last_event_id: None,
    };
    tracker.spawn(async move {
        tokio::select! {
            () = keep(follower, &standing, &stop) => {}
            () = signals.closed() => {}
        }
    });
    link
}

impl Servers {
    /// Indices of the servers, the one that answered last first.
    fn order(&self) -> impl Iterator<Item = usize> + use<> {
        let (count, current) = (self.settings.servers.len(), self.current.load(Ordering::Relaxed));
        (0..count).map(move |step| (current + step) % count)
    }

    fn url(&self, index: usize, path: &str) -> Url {
        let mut url = self.settings.servers[index].clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path.split('/'));
        }
        url
    }

    fn authorised(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.settings.credentials {
            Some(known) => request.basic_auth(&known.username, Some(known.password.reveal())),
            None => request,
        }
    }
}

impl Session for Follower {
    async fn live(&mut self, standing: &Standing) -> Fault {
        let response = match self.open_any().await {
            Ok(response) => response,
            Err(fault) => return fault,
        };
        standing.established();
        if self.signals.send(Signal::Connected).await.is_err() {
            return Fault::Unwanted;
        }
        let fault = self.read(response.bytes_stream()).await;
        let _ = self.signals.send(Signal::Lost(fault.reason().to_owned())).await;
        fault
    }
}

impl Follower {
    /// Opens the stream of the first server that gives one.
    async fn open_any(&self) -> Result<Response, Fault> {
        let mut fault = Fault::Configuration("no server is named".to_owned());
        for index in self.servers.order() {
            match self.open(index).await {
                Ok(response) => {
                    self.servers.current.store(index, Ordering::Relaxed);
                    return Ok(response);
                }
                Err(failed) => fault = fault.then(failed),
            }
        }
        Err(fault)
    }

    async fn open(&self, index: usize) -> Result<Response, Fault> {
        let mut url = self.servers.url(index, EVENTS_PATH);
        SubscriberQuery::from(&self.subscriber).append_to(&mut url);
        let request = self
            .servers
            .settings
            .http
            .get(url)
            .header(ACCEPT, EVENT_STREAM)
            .timeout(A_YEAR);
        let request = match &self.last_event_id {
            Some(id) => request.header(LAST_EVENT_ID, id),
            None => request,
        };
        let answer = timeout(ANSWER_DEADLINE, self.servers.authorised(request).send());
        let response = answer
            .await
            .map_err(|_| Fault::Transient("the server did not answer in time".to_owned()))?
            .map_err(|e| Fault::Transient(reason_of(e)))?;
        check(response)
    }

    /// Reads events until the stream ends or goes silent.
    async fn read(&mut self, stream: impl Stream<Item = reqwest::Result<Bytes>>) -> Fault {
        let mut stream = std::pin::pin!(stream);
        let silence = self.servers.settings.keep_alive * 3;
        let mut decoder = Decoder::default();
        loop {
            let piece = match timeout(silence, stream.next()).await {
                Ok(Some(Ok(piece))) => piece,
                Ok(Some(Err(e))) => return Fault::Transient(reason_of(e)),
                Ok(None) => return Fault::Transient("the server ended the stream".to_owned()),
                Err(_) => return Fault::Transient("the stream went silent".to_owned()),
            };
            let events = match decoder.push(&piece) {
                Ok(events) => events,
                Err(e) => return Fault::Transient(e.to_string()),
            };
            for event in events {
                if let Some(signal) = self.signal(&event)
                    && self.signals.send(signal).await.is_err()
                {
                    return Fault::Unwanted;
                }
            }
            // Only now: what was not handed over must come again.
            if let Some(id) = decoder.last_event_id() {
                self.last_event_id = Some(id.to_owned());
            }
        }
    }

    /// What `event` is to the agent. That the place in the stream has expired says nothing new:
    /// the agent looks on every connection anyway.
    fn signal(&self, event: &SseEvent) -> Option<Signal> {
        if event.event == RESYNC {
            return (event.data != EXPIRED).then_some(Signal::Connected);
        }
        let message = match Message::from_frame(&event.data) {
            Ok(message) => message,
            Err(e) => {
                self.traffic.count_malformed();
                return Some(Signal::Rejected(e.to_string()));
            }
        };
        let concern = self.subscriber.concern(&message);
        self.traffic.count(concern);
        (concern == Concern::Addressed).then_some(Signal::Received(message))
    }
}

#[async_trait]
impl ReportSink for HttpReports {
    async fn report(&self, report: &Report) -> Result<(), TransportError> {
        let mut error = TransportError::NotConnected("no server is named".to_owned());
        for index in self.0.order() {
            let request = self.0.settings.http.post(self.0.url(index, REPORTS_PATH)).json(report);
            let sent = self.0.authorised(request).timeout(REPORT_DEADLINE).send().await;
            error = match sent {
                Ok(answer) if answer.status().is_success() => return Ok(()),
                Ok(answer) => unaccepted(answer.status()),
                Err(e) if e.is_timeout() => TransportError::TimedOut,
                Err(e) => TransportError::NotConnected(reason_of(e)),
            };
        }
        Err(error)
    }
}

fn check(response: Response) -> Result<Response, Fault> {
    let status = response.status();
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    match status {
        StatusCode::OK if kind.is_some_and(|kind| kind.starts_with(EVENT_STREAM)) => Ok(response),
        StatusCode::OK => Err(Fault::Configuration(
            "the server answered with no event stream".to_owned(),
        )),
        StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => {
            Err(Fault::Configuration(format!("the server answered {}", status.as_u16())))
        }
        status => Err(Fault::Transient(format!("the server answered {}", status.as_u16()))),
    }
}

/// The innermost cause, without the URL: it may hold a password.
fn reason_of(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// A report that is wrong stays wrong; a server that is in trouble may take it later.
fn unaccepted(status: StatusCode) -> TransportError {
    let said = format!("the server answered {}", status.as_u16());
    if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS {
        TransportError::Refused(said)
    } else {
        TransportError::NotConnected(said)
    }
}
