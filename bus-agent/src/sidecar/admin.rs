//! The admin port: how the sidecar stands, for probes and people.

use std::time::SystemTime;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::agent::{AgentState, LiveSource};

const METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Seen = State<watch::Receiver<AgentState>>;

/// Answers until `stop`.
pub(super) async fn serve(listener: TcpListener, state: watch::Receiver<AgentState>, stop: CancellationToken) {
    let router = Router::new()
        .route("/live", get(|| async { "live" }))
        .route("/ready", get(ready))
        .route("/health", get(health))
        .route("/metrics", get(metrics))
        .with_state(state);
    let stopped = stop.cancelled_owned();
    if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stopped).await {
        warn!(%error, "the admin port closed");
    }
}

/// Ready as soon as something is live, and from then on.
async fn ready(State(state): Seen) -> Response {
    let is_live = state.borrow().live.is_some();
    if is_live {
        (StatusCode::OK, "ready").into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "nothing is live yet").into_response()
    }
}

/// Up while something is live; what is wrong beside that is told, not judged.
async fn health(State(state): Seen) -> Response {
    let state = state.borrow().clone();
    let (status, text) = match state.live {
        Some(_) => (StatusCode::OK, "UP"),
        None => (StatusCode::SERVICE_UNAVAILABLE, "DOWN"),
    };
    let mut body = told(&state);
    body["status"] = json!(text);
    (status, Json(body)).into_response()
}

fn told(state: &AgentState) -> Value {
    let now = SystemTime::now();
    let live = state.live.as_ref();
    json!({
        "version": live.map(|live| &live.revision.version),
        "digest": live.map(|live| &live.revision.digest),
        "source": live.map(|live| source(live.source)),
        "ageSeconds": state.age(now).map(|age| age.as_secs()),
        "held": state.held,
        "remoteStaleSeconds": state.remote_stale.map(|stale| stale.as_secs()),
        "busConnected": state.connected,
        "failures": state.failures,
        "lastError": state.last_error.as_ref().map(|error| &error.text),
    })
}

fn source(source: LiveSource) -> &'static str {
    match source {
        LiveSource::Server => "server",
        LiveSource::LastKnownGood => "last-known-good",
        LiveSource::Local => "local",
    }
}

async fn metrics(State(state): Seen) -> Response {
    let registry = registry(&state.borrow());
    let mut text = String::new();
    match encode(&mut text, &registry) {
        Ok(()) => ([(CONTENT_TYPE, METRICS)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct AppliedLabels {
    version: String,
    digest: String,
}

/// The state as metrics. They are made when they are asked for: nothing is counted twice.
fn registry(state: &AgentState) -> Registry {
    let mut registry = Registry::default();
    let mut gauge = |name: &str, help: &str, value: f64| registry.register(name, help, ConstGauge::new(value));
    gauge(
        "bus_connected",
        "Whether the bus is connected",
        f64::from(u8::from(state.connected)),
    );
    gauge("client_failures", "Failed rounds in a row", f64::from(state.failures));
    if let Some(age) = state.age(SystemTime::now()) {
        gauge(
            "client_staleness_seconds",
            "Since a server last said that what is live is current",
            age.as_secs_f64(),
        );
    }
    let mut counter = |name: &str, help: &str, value: u64| registry.register(name, help, ConstCounter::new(value));
    counter("client_applied", "Configurations made live", state.applied_total);
    counter("client_fetches", "Requests for the configuration", state.fetches_total);
    if let Some(live) = &state.live {
        let labels = AppliedLabels {
            version: live.revision.version.clone().unwrap_or_default(),
            digest: live.revision.digest.clone(),
        };
        registry.register("client_applied", "What is live", Info::new(labels));
    }
    registry
}
