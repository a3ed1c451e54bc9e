//! The embedded bus end to end: a hub behind a real HTTP server, agents in front.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bus::embedded::{FollowSettings, Hub, HubSettings, SubscriberQuery, follow};
use bus::{Credentials, EventTransport, Link, LinkState, Secret, Signal, Subscriber, TransportError};
use contract::Report;
use futures_util::StreamExt;
use test_support::{FaultProxy, Weather, eventually};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::harness::{
    DEADLINE, World, connected, hasty, lost, quiet, received, refresh, report, signal, subscriber, until,
};

/// `Basic ops:secret`.
const AUTHORISED: &str = "Basic b3BzOnNlY3JldA==";

/// One life of a server.
struct Server {
    hub: Arc<Hub>,
    address: SocketAddr,
    reports: mpsc::Receiver<Report>,
    stop: CancellationToken,
}

#[derive(Clone)]
struct App {
    hub: Arc<Hub>,
    reports: mpsc::Sender<Report>,
    protected: bool,
}

impl Server {
    async fn start(world: &World, address: Option<SocketAddr>, protected: bool) -> Self {
        let stop = world.stop.child_token();
        let settings = HubSettings {
            replay: NonZeroUsize::new(8).expect("not zero"),
            keep_alive: Duration::from_millis(100),
            ..HubSettings::default()
        };
        let hub = Hub::new(settings, stop.clone());
        let (reports, received) = mpsc::channel(8);
        let app = App {
            hub: Arc::clone(&hub),
            reports,
            protected,
        };
        let routes = Router::new()
            .route("/base/bus/events", get(events))
            .route("/base/bus/reports", post(take_report))
            .with_state(app);
        let wanted = address.unwrap_or(([127, 0, 0, 1], 0).into());
        let listener = eventually("the port is free", DEADLINE, async || {
            TcpListener::bind(wanted).await.ok()
        })
        .await;
        let address = listener.local_addr().expect("a bound port");
        let stopped = stop.clone();
        world.tracker.spawn(async move {
            let serving = axum::serve(listener, routes).with_graceful_shutdown(stopped.cancelled_owned());
            serving.await.expect("the server serves");
        });
        Self {
            hub,
            address,
            reports: received,
            stop,
        }
    }

    fn url(&self) -> String {
        format!("http://{}/base", self.address)
    }
}

fn refused(app: &App, headers: &HeaderMap) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    app.protected && given != Some(AUTHORISED)
}

async fn events(State(app): State<App>, headers: HeaderMap, Query(query): Query<SubscriberQuery>) -> Response {
    if refused(&app, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Ok(subscriber) = Subscriber::try_from(query) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let last_event_id = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let stream = app.hub.subscribe(subscriber, last_event_id).map(Ok::<_, Infallible>);
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(stream)).into_response()
}

async fn take_report(State(app): State<App>, headers: HeaderMap, Json(report): Json<Report>) -> StatusCode {
    if refused(&app, &headers) {
        return StatusCode::UNAUTHORIZED;
    }
    app.reports.send(report).await.expect("the test listens");
    StatusCode::ACCEPTED
}

fn follow_with(world: &World, urls: &[String], change: impl FnOnce(&mut FollowSettings)) -> Link {
    let servers = urls.iter().map(|url| url.parse().expect("a URL")).collect();
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let mut settings = FollowSettings::new(servers, http);
    settings.patience = hasty();
    settings.keep_alive = Duration::from_millis(500);
    change(&mut settings);
    follow(settings, subscriber("orders"), &world.tracker, world.stop.clone())
}

async fn agent(world: &World, urls: &[String]) -> Link {
    let mut link = follow_with(world, urls, |_| {});
    connected(&mut link).await;
    link
}

#[tokio::test]
async fn an_agent_hears_what_concerns_it_and_reports_back() {
    let world = World::new();
    let mut server = Server::start(&world, None, false).await;
    let mut link = agent(&world, &[server.url()]).await;
    for (id, destination) in [("e1", "stock:**"), ("e2", "orders:eu:**")] {
        server.hub.publish(&refresh(id, destination)).await.expect("taken");
    }
    assert_eq!(received(&mut link).await, "e2");
    link.reports.report(&report("orders")).await.expect("taken");
    assert_eq!(server.reports.recv().await, Some(report("orders")));
    drop(link);
    eventually!(DEADLINE, server.hub.subscribers() == 0);
}

#[tokio::test]
async fn what_was_published_during_a_cut_is_heard_after_it() {
    let world = World::new();
    let server = Server::start(&world, None, false).await;
    let proxy = FaultProxy::start(server.address).await;
    let mut link = agent(&world, &[format!("http://{}/base", proxy.address())]).await;
    server.hub.publish(&refresh("e1", "**")).await.expect("taken");
    assert_eq!(received(&mut link).await, "e1");

    proxy.set(Weather::Closed);
    proxy.cut();
    lost(&mut link).await;
    server.hub.publish(&refresh("e2", "**")).await.expect("taken");
    proxy.set(Weather::Fair);
    connected(&mut link).await;
    assert_eq!(received(&mut link).await, "e2");
}

#[tokio::test]
async fn a_restarted_server_is_found_again_and_the_agent_told_once() {
    let world = World::new();
    let server = Server::start(&world, None, false).await;
    let mut link = agent(&world, &[server.url()]).await;
    server.hub.publish(&refresh("e1", "**")).await.expect("taken");
    assert_eq!(received(&mut link).await, "e1");
    server.stop.cancel();
    lost(&mut link).await;
    let server = Server::start(&world, Some(server.address), false).await;
    connected(&mut link).await;
    quiet(link.signals.recv()).await;
    server.hub.publish(&refresh("e2", "**")).await.expect("taken");
    assert_eq!(received(&mut link).await, "e2");
}

#[tokio::test]
async fn a_silent_connection_is_given_up() {
    let world = World::new();
    let server = Server::start(&world, None, false).await;
    let proxy = FaultProxy::start(server.address).await;
    let mut link = agent(&world, &[format!("http://{}/base", proxy.address())]).await;
    proxy.set(Weather::Frozen);
    assert_eq!(lost(&mut link).await, "the stream went silent");
    proxy.set(Weather::Fair);
    connected(&mut link).await;
}

#[tokio::test]
async fn bytes_that_drip_are_events_all_the_same() {
    let world = World::new();
    let server = Server::start(&world, None, false).await;
    let proxy = FaultProxy::start(server.address).await;
    let mut link = agent(&world, &[format!("http://{}/base", proxy.address())]).await;
    proxy.set(Weather::Dripping(Duration::from_micros(100)));
    server.hub.publish(&refresh("e1", "**")).await.expect("taken");
    assert_eq!(received(&mut link).await, "e1");
}

#[tokio::test]
async fn the_next_server_is_taken_when_the_first_is_away() {
    let world = World::new();
    let one = Server::start(&world, None, false).await;
    let mut two = Server::start(&world, None, false).await;
    let mut link = agent(&world, &[one.url(), two.url()]).await;
    assert_eq!((one.hub.subscribers(), two.hub.subscribers()), (1, 0));
    one.stop.cancel();
    lost(&mut link).await;
    connected(&mut link).await;
    assert_eq!(two.hub.subscribers(), 1);
    link.reports.report(&report("orders")).await.expect("taken");
    assert_eq!(two.reports.recv().await, Some(report("orders")));
}

#[tokio::test]
async fn a_protected_server_asks_for_the_password_and_gets_it() {
    let world = World::new();
    let mut server = Server::start(&world, None, true).await;
    let link = follow_with(&world, &[server.url()], |_| {});
    let refused = until(&mut link.state.clone(), |state| {
        matches!(state, LinkState::Misconfigured { .. })
    })
    .await;
    assert!(format!("{refused:?}").contains("401"));
    assert_eq!(
        link.reports.report(&report("orders")).await,
        Err(TransportError::Refused("the server answered 401".to_owned()))
    );

    let mut link = follow_with(&world, &[server.url()], |settings| {
        settings.credentials = Some(Credentials {
            username: "ops".to_owned(),
            password: Secret::new("secret"),
        });
    });
    connected(&mut link).await;
    link.reports.report(&report("orders")).await.expect("taken");
    assert_eq!(server.reports.recv().await, Some(report("orders")));
}

#[tokio::test]
async fn whoever_reads_too_slowly_is_told_to_look_once() {
    let world = World::new();
    let server = Server::start(&world, None, false).await;
    let mut link = agent(&world, &[server.url()]).await;
    // Nothing else runs while these are published, so the stream finds itself behind the replay.
    for number in 0..100 {
        server
            .hub
            .publish(&refresh(&number.to_string(), "**"))
            .await
            .expect("taken");
    }
    assert!(matches!(signal(&mut link).await, Signal::Connected));
    server.hub.publish(&refresh("last", "**")).await.expect("taken");
    assert_eq!(received(&mut link).await, "last");
}
