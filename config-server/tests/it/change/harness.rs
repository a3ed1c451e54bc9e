//! A server without a socket: a real repository, a real journal, the embedded bus, and the routes.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, Bytes};
use bus::embedded::sse::Decoder;
use bus::embedded::{Hub, HubSettings};
use bus::{EventTransport, Inbound, LinkState, Receipt, Subscriber, TransportError};
use config_server::api::bus::{self as routes, BusState};
use config_server::change::Change;
use config_server::change::inbound::Ears;
use config_server::settings::{MonitorSettings, Settings};
use config_server::store::{Cause, Store};
use config_server::tasks::Tasks;
use contract::report::Outcome;
use contract::{CommitId, EventId, Message, Report};
use futures_util::{Stream, StreamExt};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use tempfile::TempDir;
use test_support::GitFixture;
use test_support::git::GitDaemon;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

pub(super) const DEADLINE: Duration = Duration::from_secs(30);

/// The server and everything around it. The remote is not a local directory, which would be watched:
/// nothing moves unless it is asked to.
pub(super) struct Server {
    pub(super) git: GitFixture,
    pub(super) store: Arc<Store>,
    pub(super) change: Arc<Change>,
    pub(super) hub: Arc<Hub>,
    pub(super) others: mpsc::Sender<Inbound>,
    router: Router,
    stop: CancellationToken,
    tasks: Tasks,
    daemon: GitDaemon,
    kept: TempDir,
}

/// What a route answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    headers: HeaderMap,
    pub(super) body: String,
}

/// One agent's view of the event stream.
pub(super) struct Listener {
    stream: Pin<Box<dyn Stream<Item = Bytes> + Send>>,
    decoder: Decoder,
}

/// A broker that can be away.
#[derive(Debug)]
pub(super) struct Broker {
    state: watch::Sender<LinkState>,
    taken: mpsc::UnboundedSender<Message>,
}

impl Server {
    /// Serves a repository with one commit, on the embedded bus.
    pub(super) async fn start() -> Self {
        Self::start_with(MonitorSettings::default(), None).await
    }

    pub(super) async fn start_with(monitor: MonitorSettings, broker: Option<Arc<Broker>>) -> Self {
        let git = GitFixture::new().expect("a repository");
        git.commit_file("orders.yml", "a: 1\n").expect("a commit");
        let daemon = GitDaemon::start(&git).expect("a git daemon");
        let kept = TempDir::new().expect("a directory");
        Self::live(git, daemon, kept, monitor, broker).await
    }

    /// Ends this life of the server and begins the next one, with what was kept on disk.
    pub(super) async fn restart(self, broker: Option<Arc<Broker>>, meanwhile: impl FnOnce(&GitFixture)) -> Self {
        self.stop.cancel();
        timeout(DEADLINE, self.tasks.ended_all())
            .await
            .expect("every task ends");
        let Self {
            git,
            daemon,
            kept,
            store,
            change,
            router,
            others,
            ..
        } = self;
        // Everything that holds the journal, for the next life opens it.
        drop((store, change, router, others));
        meanwhile(&git);
        Self::live(git, daemon, kept, MonitorSettings::default(), broker).await
    }

    async fn live(
        git: GitFixture,
        daemon: GitDaemon,
        kept: TempDir,
        monitor: MonitorSettings,
        broker: Option<Arc<Broker>>,
    ) -> Self {
        let settings = Settings::for_testing(&daemon.uri()).kept_in(kept.path());
        let (tasks, stop) = (Tasks::default(), CancellationToken::new());
        let change = Change::open(settings.change).await.expect("a journal");
        let store = Store::open(&settings.backend, change.clone(), &tasks, stop.clone()).await;
        let store = store.expect("a store");
        let hub = Hub::new(HubSettings::default(), stop.clone());
        match broker {
            Some(broker) => change.start(broker, Some(hub.clone()), &tasks, &stop),
            None => change.start(hub.clone(), None, &tasks, &stop),
        }
        let (others, inbound) = mpsc::channel(16);
        Ears::start(change.clone(), store.clone(), hub.clone(), inbound, &tasks, &stop);
        let state = BusState {
            store: store.clone(),
            change: change.clone(),
            hub: hub.clone(),
            monitor: Arc::new(monitor),
        };
        let router = routes::routes()
            .merge(routes::busrefresh("/actuator"))
            .merge(routes::busenv("/actuator"))
            .merge(routes::busshutdown("/actuator"))
            .merge(routes::monitor(""))
            .with_state(state);
        let outcome = store.refresh(Cause::Start).await;
        assert_eq!(outcome.failures, []);
        Self {
            git,
            store,
            change,
            hub,
            others,
            router,
            stop,
            tasks,
            daemon,
            kept,
        }
    }

    pub(super) async fn post(&self, path: &str) -> Answer {
        self.call(Method::POST, path, &[], "").await
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, &[], "").await
    }

    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let request = headers.iter().fold(Request::builder(), |request, (name, value)| {
            request.header(*name, *value)
        });
        let request = request.method(method).uri(path).body(body.into()).expect("a request");
        let answer = timeout(DEADLINE, self.router.clone().oneshot(request))
            .await
            .expect("in time");
        let answer = answer.expect("routes do not fail");
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = answer.into_body().collect().await.expect("a body").to_bytes();
        Answer {
            status,
            headers,
            body: String::from_utf8(body.to_vec()).expect("text"),
        }
    }

    /// A commit that changes what `orders` reads; the server does not know of it yet.
    pub(super) fn push(&self, content: &str) -> CommitId {
        let commit = self.git.commit_file("orders.yml", content).expect("a commit");
        commit.parse().expect("a commit id")
    }

    /// Force-pushes the head to `commit`; the server does not know of it yet.
    pub(super) fn reset(&self, commit: &CommitId) {
        self.git.reset(commit.as_str()).expect("a reset");
    }

    pub(super) fn listen(&self) -> Listener {
        let subscriber = Subscriber {
            bus_id: "listener:1:a".parse().expect("an id"),
            applications: vec!["orders".parse().expect("a name")],
            profiles: Vec::new(),
            label: None,
        };
        Listener {
            stream: Box::pin(self.hub.subscribe(subscriber, None)),
            decoder: Decoder::default(),
        }
    }

    /// The agent `bus_id` of `orders` says what it runs.
    pub(super) async fn report(&self, bus_id: &str, events: &[EventId], commit: &CommitId, outcome: Outcome) {
        let report = report(bus_id, events, commit, outcome);
        let body = serde_json::to_string(&report).expect("a report");
        let json = [("content-type", "application/json")];
        let answer = self.call(Method::POST, "/bus/reports", &json, body).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{answer:?}");
    }

    pub(super) fn head(&self) -> CommitId {
        let heads = self.store.heads();
        heads.first().expect("a head").commit.clone()
    }

    pub(super) async fn end(self) {
        self.stop.cancel();
        timeout(DEADLINE, self.tasks.ended_all())
            .await
            .expect("every task ends");
    }
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        Some(self.headers.get(name)?.to_str().expect("text"))
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    pub(super) fn text(&self, member: &str) -> String {
        self.json()[member].as_str().expect(member).to_owned()
    }
}

impl Listener {
    /// The next event of the stream.
    pub(super) async fn hear(&mut self) -> Message {
        let next = async {
            loop {
                let bytes = self.stream.next().await.expect("the stream goes on");
                let heard = self.decoder.push(&bytes).expect("events");
                if let Some(event) = heard.into_iter().next() {
                    return Message::from_frame(&event.data).expect("a message");
                }
            }
        };
        timeout(DEADLINE, next).await.expect("an event in time")
    }
}

impl Broker {
    pub(super) fn away() -> (Arc<Self>, mpsc::UnboundedReceiver<Message>) {
        let (taken, bus) = mpsc::unbounded_channel();
        let state = watch::Sender::new(LinkState::Connecting { attempt: 1 });
        (Arc::new(Self { state, taken }), bus)
    }

    pub(super) fn comes_back(&self) {
        self.state.send_replace(LinkState::Connected);
    }
}

#[async_trait]
impl EventTransport for Broker {
    async fn publish(&self, message: &Message) -> Result<Receipt, TransportError> {
        if !self.state.borrow().is_connected() {
            return Err(TransportError::NotConnected("away".to_owned()));
        }
        self.taken.send(message.clone()).expect("somebody listens");
        Ok(Receipt { heard: true })
    }

    fn state(&self) -> watch::Receiver<LinkState> {
        self.state.subscribe()
    }
}

pub(super) fn report(bus_id: &str, events: &[EventId], commit: &CommitId, outcome: Outcome) -> Report {
    Report {
        bus_id: bus_id.parse().expect("an id"),
        application: "orders".parse().expect("a name"),
        profiles: Vec::new(),
        label: None,
        events: events.to_vec(),
        commit: Some(commit.clone()),
        digest: Some(format!("\"{commit}\"")),
        outcome,
        reason: None,
        millis: 3,
        asked_ago: None,
    }
}
