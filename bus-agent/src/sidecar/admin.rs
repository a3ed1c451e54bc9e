//! The admin port: how the sidecar stands, for probes and people.

use std::time::{Duration, SystemTime};

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
    let seconds = |then: Option<SystemTime>| then.map(|then| since(then, now).as_secs());
    json!({
        "version": live.map(|live| &live.revision.version),
        "digest": live.map(|live| &live.revision.digest),
        "source": live.map(|live| source(live.source)),
        "liveSeconds": seconds(live.map(|live| live.since)),
        "ageSeconds": state.age(now).map(|age| age.as_secs()),
        "held": state.held,
        "remoteStaleSeconds": state.remote_stale.map(|stale| stale.as_secs()),
        "busConnected": state.connected,
        "busSeconds": seconds(state.since),
        "busThroughServers": state.detour,
        "lastNoticeSeconds": seconds(state.last_notice),
        "outcome": state.outcome,
        "lastKnownGoodError": state.unremembered.as_ref().map(|error| &error.text),
        "failures": state.failures,
        "lastError": state.last_error.as_ref().map(|error| &error.text),
    })
}

fn since(then: SystemTime, now: SystemTime) -> Duration {
    now.duration_since(then).unwrap_or_default()
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
    gauge(
        "bus_through_servers",
        "Whether changes are heard of through the servers, for the broker is away",
        f64::from(u8::from(state.detour)),
    );
    let now = SystemTime::now();
    if let Some(then) = state.since {
        let help = "Since when the bus is connected, or is not";
        gauge("bus_state_seconds", help, since(then, now).as_secs_f64());
    }
    if let Some(then) = state.last_notice {
        let help = "Since an event for this agent was heard";
        gauge("bus_last_notice_seconds", help, since(then, now).as_secs_f64());
    }
    gauge(
        "client_last_known_good_failing",
        "Whether what is live could not be remembered",
        f64::from(u8::from(state.unremembered.is_some())),
    );
    gauge("client_failures", "Failed rounds in a row", f64::from(state.failures));
    if let Some(age) = state.age(now) {
        gauge(
            "client_staleness_seconds",
            "Since a server last said that what is live is current",
            age.as_secs_f64(),
        );
    }
    let mut counter = |name: &str, help: &str, value: u64| registry.register(name, help, ConstCounter::new(value));
    counter("client_applied", "Configurations made live", state.applied_total);
    counter("client_fetches", "Requests for the configuration", state.fetches_total);
    counter(
        "bus_rejected",
        "Messages of the bus that were no events and were dropped",
        state.rejected_total,
    );
    if let Some(live) = &state.live {
        let labels = AppliedLabels {
            version: live.revision.version.clone().unwrap_or_default(),
            digest: live.revision.digest.clone(),
        };
        registry.register("client_applied", "What is live", Info::new(labels));
    }
    registry
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes_ago(minutes: u64) -> Option<SystemTime> {
        Some(SystemTime::now() - Duration::from_secs(minutes * 60))
    }

    /// The broker went away five minutes ago; the servers are listened to.
    fn without_its_broker() -> AgentState {
        AgentState {
            connected: false,
            since: minutes_ago(5),
            detour: true,
            last_notice: minutes_ago(10),
            confirmed: minutes_ago(1),
            ..AgentState::default()
        }
    }

    #[test]
    fn health_tells_since_when_the_bus_is_away_and_how_old_what_is_live_is() {
        let told = told(&without_its_broker());
        assert_eq!(
            (&told["busConnected"], &told["busThroughServers"]),
            (&json!(false), &json!(true))
        );
        for (name, minutes) in [("busSeconds", 5), ("lastNoticeSeconds", 10), ("ageSeconds", 1)] {
            let seconds = told[name].as_u64().expect(name);
            assert!(
                (minutes * 60..minutes * 60 + 30).contains(&seconds),
                "{name}: {seconds}"
            );
        }
        assert_eq!(told["liveSeconds"], Value::Null);
    }

    #[test]
    fn every_part_of_the_state_that_is_known_has_its_series() {
        let names = |state: &AgentState| {
            let mut text = String::new();
            encode(&mut text, &registry(state)).expect("a String takes everything");
            let declared = text
                .lines()
                .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
            declared.map(str::to_owned).collect::<Vec<_>>()
        };
        let always = ["bus_connected", "bus_through_servers", "client_failures"];
        let unknown = names(&AgentState::default());
        assert!(
            always.iter().all(|name| unknown.iter().any(|known| known == name)),
            "{unknown:?}"
        );
        let all = names(&without_its_broker());
        for name in [
            "bus_state_seconds",
            "bus_last_notice_seconds",
            "client_staleness_seconds",
        ] {
            assert!(all.iter().any(|known| known == name), "{name} not in {all:?}");
            assert!(!unknown.iter().any(|known| known == name), "{name} in {unknown:?}");
        }
    }
}
