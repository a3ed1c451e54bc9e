//! Two servers behind one address: each has its own mirror and its own log, and neither hears of
//! the other.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::HOST;
use axum::response::Response;
use client_sdk::{Bus, Watch};
use contract::delivery::EventState;
use test_support::git::GitDaemon;
use test_support::{Broker, eventually};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::harness::{DEADLINE, Server, Shop, becomes, client, greet, look, report, serve, shop, shop_repository};

/// A server that looks at its remote only when it is asked to.
const RARELY: &str = "--spring.cloud.config.server.git.refresh-rate=3600";

/// Passes each request to the next of its servers.
#[derive(Debug)]
struct Alternating {
    servers: Vec<String>,
    turn: AtomicUsize,
    http: reqwest::Client,
}

impl Alternating {
    async fn start(servers: Vec<String>, tracker: &TaskTracker) -> (Arc<Self>, String, DropGuard) {
        let proxy = Arc::new(Self {
            servers,
            turn: AtomicUsize::new(0),
            http: reqwest::Client::new(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(pass).with_state(Arc::clone(&proxy));
        let stop = CancellationToken::new();
        let serving = axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
        tracker.spawn(async move { serving.await.expect("a proxy") });
        (proxy, url, stop.drop_guard())
    }

    /// Waits until every server was asked a few more times.
    async fn rounds(&self) {
        let before = self.turn.load(Ordering::Relaxed);
        eventually("the agent asks on", DEADLINE, async || {
            (self.turn.load(Ordering::Relaxed) > before + 8).then_some(())
        })
        .await;
    }
}

async fn pass(State(proxy): State<Arc<Alternating>>, request: Request) -> Response {
    let turn = proxy.turn.fetch_add(1, Ordering::Relaxed);
    let server = &proxy.servers[turn % proxy.servers.len()];
    let mut headers = request.headers().clone();
    headers.remove(HOST);
    let asked = proxy.http.get(format!("{server}{}", request.uri())).headers(headers);
    let answer = asked.send().await.expect("the server answers");
    let mut response = Response::builder().status(answer.status());
    if let Some(headers) = response.headers_mut() {
        headers.clone_from(answer.headers());
    }
    let body = answer.bytes().await.expect("a body");
    response.body(Body::from(body)).expect("a response")
}

/// Every greeting the service had, in order.
fn greetings(shop: &Watch<Shop>, tracker: &TaskTracker) -> Arc<Mutex<Vec<String>>> {
    let seen = Arc::new(Mutex::new(vec![shop.get().greeting.clone()]));
    let (mut shop, noted) = (shop.clone(), Arc::clone(&seen));
    tracker.spawn(async move {
        while shop.changed().await.is_ok() {
            noted.lock().expect("no panic").push(shop.get().greeting.clone());
        }
    });
    seen
}

#[tokio::test]
async fn an_agent_between_two_servers_never_goes_back() {
    let repository = shop_repository();
    let first = repository.head().expect("a commit");
    let remote = GitDaemon::start(&repository).expect("a git daemon");
    let rarely = [RARELY.to_owned()];
    let one = Server::start(&remote.uri(), &rarely).await.expect("a server");
    let two = Server::start(&remote.uri(), &rarely).await.expect("a server");
    let tracker = TaskTracker::new();
    let (proxy, url, _end) = Alternating::start(vec![one.url(), two.url()], &tracker).await;
    let polling = client(&url, "shop").bus(Bus::None).interval(Duration::from_millis(100));
    let client = polling.build().await.expect("a client");
    let shop = client.watch::<Shop>("").expect("a typed value");
    let seen = greetings(&shop, &tracker);

    greet(&repository, "two");
    look(&one).await;
    look(&two).await;
    becomes(&shop, "two").await;

    repository.reset(&first).expect("a rollback");
    look(&one).await;
    becomes(&shop, "hello").await;
    proxy.rounds().await;

    repository.write_file("shop.yml", "greeting: three\n").expect("a file");
    repository.force_push("another history").expect("a force push");
    look(&two).await;
    becomes(&shop, "three").await;
    proxy.rounds().await;

    // The first server sees one move where the second sees two.
    greet(&repository, "four");
    look(&two).await;
    becomes(&shop, "four").await;
    greet(&repository, "five");
    look(&one).await;
    becomes(&shop, "five").await;
    proxy.rounds().await;

    let seen = seen.lock().expect("no panic").clone();
    assert_eq!(seen, ["hello", "two", "hello", "three", "four", "five"]);
}

#[tokio::test]
async fn a_refresh_called_while_the_broker_is_away_is_queued_delivered_and_reported() {
    let repository = shop_repository();
    let remote = GitDaemon::start(&repository).expect("a git daemon");
    let broker = Broker::launch().await;
    let (mut settings, address) = Server::over(&broker).await;
    settings.push(RARELY.to_owned());
    let server = Server::start(&remote.uri(), &settings).await.expect("a server");
    let shop = shop(&server.url(), Bus::Amqp(address)).await;
    server.knows_agents(1).await.expect("an agent");
    broker.stop().await;
    eventually("the service notices", DEADLINE, async || {
        (!shop.client().state().connected).then_some(())
    })
    .await;

    greet(&repository, "while the broker was away");
    let receipt = look(&server).await;
    assert_eq!(receipt.state, EventState::Queued);
    broker.start().await;
    eventually("the agent has answered", DEADLINE, async || {
        let report = report(&server, &receipt).await?;
        (report.state == EventState::Published && report.summary.applied == 1).then_some(())
    })
    .await;
    assert_eq!(shop.get().greeting, "while the broker was away");
}

#[tokio::test]
async fn a_refresh_that_waits_too_long_for_the_broker_expires_and_says_so() {
    let repository = shop_repository();
    let broker = Broker::launch().await;
    let (mut settings, _) = Server::over(&broker).await;
    settings.push("--config-bus.event-expiry=1s".to_owned());
    let server = serve(&repository, &settings).await;
    broker.stop().await;
    let receipt = eventually("the server notices", DEADLINE, async || {
        let receipt = look(&server).await;
        (receipt.state == EventState::Queued).then_some(receipt)
    })
    .await;
    eventually("the event expires", DEADLINE, async || {
        let report = report(&server, &receipt).await?;
        (report.state == EventState::Expired).then_some(())
    })
    .await;
}
