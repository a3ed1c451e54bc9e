//! A server and a bus for tests: answers what it is told to, fails as it is told to, and remembers
//! what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::serve;
use bus::{Link, LinkState, ReportSink, Signal, TransportError};
use contract::{
    Affects, BusEvent, BusId, CommitId, Destination, EventId, EventKind, Message, MoveId, Notice, Report, headers,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// A server with one configuration.
#[derive(Debug)]
pub struct Origin {
    url: String,
    world: Arc<Mutex<World>>,
    _stop: DropGuard,
}

/// One request as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Asked {
    /// Path and query.
    pub path: String,
    /// `X-Config-At-Least`.
    pub at_least: Option<String>,
    /// `If-None-Match`.
    pub if_none_match: Option<String>,
    /// `Authorization`.
    pub authorization: Option<String>,
    /// `Accept`.
    pub accept: Option<String>,
}

/// How a request fails.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Fault {
    /// A status with headers and a body.
    Status(u16, Vec<(&'static str, String)>, String),
    /// No answer, for as long as anybody waits.
    Hang,
    /// An answer that is no configuration.
    Garbage(String),
}

/// The agent's end of a bus, and the test's.
#[derive(Debug)]
pub struct FakeBus {
    signals: mpsc::Sender<Signal>,
    reports: watch::Receiver<Vec<Report>>,
    detour: watch::Sender<bool>,
}

#[derive(Debug)]
struct World {
    sources: Value,
    digest: u64,
    moves: u64,
    stock: bool,
    faults: VecDeque<Fault>,
    broken: Option<Fault>,
    asked: Vec<Asked>,
}

#[derive(Debug)]
struct Reports(watch::Sender<Vec<Report>>);

impl Origin {
    /// Serves `source` as the file `repo/orders.yml`.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn serving(source: Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!(
            "http://{}",
            listener.local_addr().expect("a bound socket has an address")
        );
        let world = Arc::new(Mutex::new(World {
            sources: sources(source),
            digest: 1,
            moves: 1,
            stock: false,
            faults: VecDeque::new(),
            broken: None,
            asked: Vec::new(),
        }));
        let stop = CancellationToken::new();
        let router = Router::new().fallback(answer).with_state(world.clone());
        let stopped = stop.clone();
        TaskTracker::new().spawn(async move {
            tokio::select! {
                _ = serve(listener, router) => {}
                () = stopped.cancelled() => {}
            }
        });
        Self {
            url,
            world,
            _stop: stop.drop_guard(),
        }
    }

    /// Its base URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Commits another content of the file; the commit.
    #[expect(clippy::must_use_candidate, reason = "called for what it does")]
    pub fn commit(&self, source: Value) -> CommitId {
        self.commit_sources(sources(source))
    }

    /// Commits several property sources, strongest first; the commit.
    #[expect(clippy::must_use_candidate, reason = "called for what it does")]
    pub fn commit_sources(&self, sources: Value) -> CommitId {
        let mut world = lock(&self.world);
        if world.sources != sources {
            world.digest += 1;
            world.sources = sources;
        }
        world.moves += 1;
        commit(world.moves)
    }

    /// Answers like a stock Spring server from now on: no entity tag, none of our headers.
    pub fn stock(&self) {
        lock(&self.world).stock = true;
    }

    /// Goes back to an older move, as a replica that is behind.
    pub fn behind(&self, moves: u64, source: Value) {
        let mut world = lock(&self.world);
        world.moves = moves;
        world.digest += 100;
        world.sources = sources(source);
    }

    /// Fails the next request.
    pub fn fail_next(&self, fault: Fault) {
        lock(&self.world).faults.push_back(fault);
    }

    /// Fails every request, or none.
    pub fn broken(&self, fault: Option<Fault>) {
        lock(&self.world).broken = fault;
    }

    /// What it was asked so far.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        lock(&self.world).asked.clone()
    }

    /// A notice of the newest commit, for everybody who follows `main`.
    #[must_use]
    pub fn notice(&self) -> Notice {
        let moves = lock(&self.world).moves;
        Notice {
            label: "main".parse().expect("a label"),
            from: None,
            to: commit(moves),
            affects: Affects::All,
            spread_millis: 0,
            report_spread_millis: 0,
            moved: Some(moved(moves)),
        }
    }
}

impl FakeBus {
    /// A bus, and the link an agent follows it by.
    #[must_use]
    pub fn connected() -> (Self, Link) {
        let (signals, heard) = mpsc::channel(64);
        let (sent, reports) = watch::channel(Vec::new());
        // The link keeps the last state when nobody changes it any more.
        let (_, state) = watch::channel(LinkState::Connected);
        let mut link = Link::new(heard, state, Box::new(Reports(sent)));
        let detour = watch::Sender::new(false);
        link.detour = detour.subscribe();
        let bus = Self {
            signals,
            reports,
            detour,
        };
        (bus, link)
    }

    /// Lets the agent hear `signal`.
    ///
    /// # Panics
    /// When the agent is gone.
    pub async fn tell(&self, signal: Signal) {
        self.signals.send(signal).await.expect("the agent listens");
    }

    /// Lets the link go another way than usual, or as usual.
    pub fn goes_round(&self, open: bool) {
        self.detour.send_replace(open);
    }

    /// Lets the agent hear a refresh named `id`.
    pub async fn refresh(&self, id: &str, notice: Option<Notice>) {
        let origin: BusId = "config-server:8888:test".parse().expect("an id");
        let event = BusEvent::refresh(EventId::received(id), 0, &origin, Destination::everyone());
        self.tell(Signal::Received(Message { event, notice })).await;
    }

    /// Lets the agent hear a shutdown event named `id` that was made at `made`.
    pub async fn shut_down(&self, id: &str, made: SystemTime) {
        let origin: BusId = "ops:1:test".parse().expect("an id");
        let made = made.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
        let made = u64::try_from(made.as_millis()).expect("in this age");
        let mut event = BusEvent::refresh(EventId::received(id), made, &origin, Destination::everyone());
        event.kind = EventKind::Shutdown;
        self.tell(Signal::Received(Message { event, notice: None })).await;
    }

    /// Waits for a report that `is` says is the one.
    ///
    /// # Panics
    /// When none comes within ten seconds.
    pub async fn report(&mut self, is: impl Fn(&Report) -> bool) -> Report {
        let waited = tokio::time::timeout(
            Duration::from_secs(10),
            self.reports.wait_for(|reports| reports.iter().any(&is)),
        );
        let reports = waited.await.expect("a report in time").expect("an agent that reports");
        reports.iter().find(|report| is(report)).expect("just seen").clone()
    }

    /// Every report so far.
    #[must_use]
    pub fn reports(&self) -> Vec<Report> {
        self.reports.borrow().clone()
    }
}

#[async_trait]
impl ReportSink for Reports {
    async fn report(&self, report: &Report) -> Result<(), TransportError> {
        self.0.send_modify(|reports| reports.push(report.clone()));
        Ok(())
    }
}

/// The commit of the `n`-th move.
#[must_use]
pub fn commit(n: u64) -> CommitId {
    format!("{n:040x}").parse().expect("40 digits")
}

fn moved(n: u64) -> MoveId {
    MoveId {
        epoch: "log".to_owned(),
        sequence: n,
    }
}

fn sources(source: Value) -> Value {
    let file = [
        ("name".to_owned(), json!("repo/orders.yml")),
        ("source".to_owned(), source),
    ];
    Value::Array(vec![Value::Object(file.into_iter().collect())])
}

fn lock(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(State(world): State<Arc<Mutex<World>>>, request: Request) -> Response {
    let asked = Asked::read(&request);
    let fault = {
        let mut world = lock(&world);
        world.asked.push(asked.clone());
        world.faults.pop_front().or_else(|| world.broken.clone())
    };
    match fault {
        None => lock(&world).answer(&asked),
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::Garbage(text)) => text.into_response(),
        Some(Fault::Status(status, headers, body)) => {
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            response.body(body.into()).expect("a well-formed answer")
        }
    }
}

impl World {
    fn answer(&self, asked: &Asked) -> Response {
        let version = commit(self.moves).to_string();
        let body = json!({
            "name": "orders", "profiles": ["default"], "label": null, "version": version, "state": "",
            "propertySources": self.sources,
        });
        if self.stock {
            return axum::Json(body).into_response();
        }
        let etag = format!("\"content-{}\"", self.digest);
        let unchanged = asked.if_none_match.as_ref() == Some(&etag);
        let response = Response::builder()
            .status(if unchanged { 304 } else { 200 })
            .header("etag", etag)
            .header(headers::VERSION, version)
            .header(headers::MOVE, moved(self.moves).to_string());
        let body = if unchanged { String::new() } else { body.to_string() };
        response.body(body.into()).expect("a well-formed answer")
    }
}

impl Asked {
    fn read(request: &Request) -> Self {
        let text = |name: &str| Some(request.headers().get(name)?.to_str().ok()?.to_owned());
        Self {
            path: request.uri().to_string(),
            at_least: text(headers::AT_LEAST),
            if_none_match: text("if-none-match"),
            authorization: text("authorization"),
            accept: text("accept"),
        }
    }
}
