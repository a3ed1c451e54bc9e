//! What operators and collectors of metrics see.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use config_server::settings::management::{Access, Show};
use config_server::settings::{Backend, BusSettings, GitSettings, NativeSettings};
use contract::ServerStatus;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::GitFixture;
use tokio::time::timeout;

use super::harness::{App, DEADLINE, answer};

async fn json(app: &App, path: &str) -> Value {
    let got = app.get(path).await;
    serde_json::from_str(&got.body).unwrap_or_else(|error| panic!("{path}: {error}: {}", got.body))
}

#[tokio::test]
async fn health_has_the_shape_that_springs_dashboards_read() {
    let app = App::start().await;
    let health = json(&app, "/actuator/health").await;
    assert_eq!(health["status"], "UP", "{health}");
    assert_eq!(health["groups"], json!(["liveness", "readiness"]));
    let server = &health["components"]["configServer"];
    assert_eq!(server["status"], "UP");
    let repository = &server["details"]["repositories"][0];
    assert_eq!(
        (&repository["name"], &repository["profiles"]),
        (&json!("app"), &json!(["default"]))
    );
    assert_eq!(repository["label"], Value::Null);
    assert!(repository["sources"][0].as_str().unwrap().ends_with("/application.yml"));
    assert_eq!(health["components"]["bus"]["status"], "UP");
    assert_eq!(json(&app, "/actuator/health/liveness").await, json!({ "status": "UP" }));
    assert_eq!(json(&app, "/actuator/health/bus").await["status"], "UP");
    assert_eq!(app.get("/actuator/health/nothing").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_repository_that_cannot_be_read_takes_health_down() {
    let app = App::start_with(|settings| {
        settings.serving.health.repositories[0].label = Some("nowhere".to_owned());
    })
    .await;
    let down = app.get("/actuator/health").await;
    assert_eq!(down.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(down.body.contains("nowhere"), "{}", down.body);
}

#[tokio::test]
async fn metrics_tell_of_requests_heads_and_the_outbox() {
    let app = App::start().await;
    app.get("/orders/dev").await;
    let metrics = app.get("/actuator/prometheus").await;
    assert!(
        metrics
            .header("content-type")
            .starts_with("application/openmetrics-text")
    );
    let repository = app.repository();
    for line in [
        "http_server_requests_seconds_count{status=\"2xx\"}",
        &format!("config_snapshot_age_seconds{{repository=\"{repository}\",label=\"main\"}}"),
        &format!("config_broken_files{{repository=\"{repository}\",label=\"main\"}} 0"),
        "config_moves_unwritten 0",
        "outbox_pending 0",
        "outbox_oldest_seconds 0.0",
        "bus_connected 1",
        "config_cache_answers",
    ] {
        assert!(metrics.body.contains(line), "no {line} in {}", metrics.body);
    }
    let names = json(&app, "/actuator/metrics").await;
    assert!(
        names["names"].as_array().unwrap().contains(&json!("outbox_pending")),
        "{names}"
    );
    assert_eq!(
        json(&app, "/actuator/metrics/outbox_pending").await["measurements"][0]["value"],
        0.0
    );
}

/// The agent `bus_id` of `orders` says how it stands.
async fn report(app: &App, bus_id: &str, events: &[&str], outcome: &str, digest: &str) {
    let report = json!({
        "busId": bus_id, "application": "orders", "profiles": ["dev"], "events": events, "outcome": outcome,
        "commit": app.git.head().unwrap(), "digest": digest, "reason": (outcome == "failed").then_some("no room"),
        "millis": 3,
    });
    let told = answer(app.request(Method::POST, "/bus/reports").json(&report)).await;
    assert_eq!(told.status, StatusCode::NO_CONTENT, "{}", told.body);
}

/// A server whose two agents were told of an event: one applied it, the other failed.
async fn after_a_round() -> App {
    let app = App::start_with(|settings| settings.change.drift_after = Duration::ZERO).await;
    app.get("/orders/dev").await;
    for agent in ["orders:1:a", "orders:2:b", "orders:3:c"] {
        report(&app, agent, &[], "applied", "one").await;
    }
    report(&app, "orders:4:gone", &[], "stopped", "one").await;
    let refreshed = answer(app.request(Method::POST, "/bus/refresh")).await;
    let receipt: Value = serde_json::from_str(&refreshed.body).unwrap();
    let event = receipt["id"].as_str().unwrap();
    report(&app, "orders:1:a", &[event], "applied", "two").await;
    report(&app, "orders:2:b", &[event], "failed", "one").await;
    app
}

#[tokio::test]
async fn metrics_tell_how_agents_answer_and_stand() {
    let app = after_a_round().await;
    let drifts = async {
        loop {
            let metrics = app.get("/actuator/prometheus").await.body;
            if metrics.contains("agents_drifting_applications 1") {
                return metrics;
            }
        }
    };
    let metrics = timeout(DEADLINE, drifts)
        .await
        .expect("agents on two configurations drift");
    for line in [
        "delivery_answers_total{outcome=\"applied\"} 1",
        "delivery_answers_total{outcome=\"failed\"} 1",
        "delivery_answers_total{outcome=\"vetoed\"} 0",
        "delivery_latency_seconds_count 2",
        "delivery_latency_seconds_bucket{le=\"+Inf\"} 2",
        "delivery_rounds_open 1",
        "agents_known{state=\"well\"} 2",
        "agents_known{state=\"failed\"} 1",
        "agents_known{state=\"stopped\"} 1",
        "agents_known{state=\"away\"} 0",
        "agents_drifting_seconds ",
    ] {
        assert!(metrics.contains(line), "no {line} in {metrics}");
    }
}

#[tokio::test]
async fn the_status_page_has_heads_bus_applications_and_the_newest_round() {
    let app = after_a_round().await;
    let status: ServerStatus = serde_json::from_value(json(&app, "/bus/status").await).unwrap();
    assert!(status.ready);
    let head = &status.heads[0];
    assert_eq!(
        (head.repository.clone(), head.label.as_str()),
        (app.repository(), "main")
    );
    assert_eq!(head.commit.as_str(), app.git.head().unwrap());
    assert_eq!((status.bus.state.as_str(), status.bus.queued), ("connected", 0));
    let orders = &status.applications[0];
    assert_eq!(
        (orders.application.as_str(), orders.agents, orders.failed),
        ("orders", 3, 1)
    );
    assert_eq!((orders.commits.len(), orders.commits[0].agents), (1, 3));
    assert!(orders.drift.is_some());
    let round = status.round.unwrap();
    assert_eq!(
        (round.summary.applied, round.summary.failed, round.summary.silent),
        (1, 1, 1)
    );
    let listed: Vec<_> = round.agents.iter().map(|agent| agent.bus_id.as_str()).collect();
    assert_eq!(listed, ["orders:2:b", "orders:3:c"]);
    assert_eq!(round.latency.map(|latency| latency.count), Some(2));
}

#[tokio::test]
async fn the_status_page_is_there_when_nothing_is_announced() {
    let app = App::start_with(|settings| settings.bus = BusSettings::Off).await;
    assert_eq!(json(&app, "/bus/status").await["bus"]["state"], "off");
}

#[tokio::test]
async fn every_look_at_the_remote_is_counted_by_how_it_ended() {
    let app = App::start().await;
    app.get("/orders/dev").await;
    app.git.commit_file("orders.yml", "a: 2\n").unwrap();
    app.refresh().await;
    app.refresh().await;
    fs::rename(app.git.root(), app.git.root().with_extension("away")).unwrap();
    app.refresh().await;
    let metrics = app.get("/actuator/prometheus").await.body;
    let count = |outcome: &str| -> u64 {
        let series = format!("config_refresh_total{{outcome=\"{outcome}\"}} ");
        let line = metrics.lines().find_map(|line| line.strip_prefix(&series));
        line.expect("a counter").parse().unwrap()
    };
    assert_eq!((count("moved"), count("failed")), (1, 1), "{metrics}");
    assert!(count("unchanged") >= 1, "{metrics}");
    fs::rename(app.git.root().with_extension("away"), app.git.root()).unwrap();
}

#[tokio::test]
async fn the_page_of_metrics_names_those_that_there_are() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/metrics.md")).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let told: BTreeSet<&str> = rows.filter_map(|row| row.split('`').next()).collect();
    let app = App::start().await;
    app.get("/orders/dev").await;
    let metrics = app.get("/actuator/prometheus").await.body;
    let declared = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let named = declared.map(|(name, kind)| match kind {
        "counter" => format!("{name}_total"),
        _ => name.to_owned(),
    });
    assert_eq!(
        named.collect::<BTreeSet<_>>(),
        told.into_iter().map(str::to_owned).collect()
    );
}

#[tokio::test]
async fn every_repository_has_series_of_its_own() {
    let other = GitFixture::new().unwrap();
    let directories = TempDir::new().unwrap();
    other.write_file("other.yml", "b: 1\n").unwrap();
    other.commit("first").unwrap();
    let app = App::start_with(|settings| {
        let location = format!("file:{}/", directories.path().display());
        let directory = || Backend::Native(NativeSettings::for_testing(&[&location]));
        let other = Backend::Git(GitSettings::for_testing(&other.uri()));
        settings.backend = Backend::Composite {
            members: vec![settings.backend.clone(), other, directory(), directory()],
            fail_on_error: true,
        };
    })
    .await;
    app.get("/orders/dev").await;
    let metrics = app.get("/actuator/prometheus").await;
    let mut series: Vec<&str> = metrics
        .body
        .lines()
        .filter(|line| line.starts_with("config_broken_files{"))
        .collect();
    series.sort_unstable();
    let repositories = [other.uri(), app.repository()].map(|uri| format!("{uri}\",label=\"main\""));
    let repositories = [&repositories[0], &repositories[1], "native\",label=\"master\""];
    let expected = repositories.map(|repository| format!("config_broken_files{{repository=\"{repository}}} 0"));
    assert_eq!(series, expected);
}

#[tokio::test]
async fn readiness_is_a_list_of_latches_and_tasks_are_named() {
    let app = App::start().await;
    app.get("/orders/dev").await;
    let ready = json(&app, "/ready").await;
    assert_eq!(ready["ready"], true, "{ready}");
    assert_eq!(app.get("/live").await.body, "live");
    let tasks = json(&app, "/tasks").await;
    assert_eq!(tasks["heads"][0]["commit"], json!(app.git.head().unwrap()), "{tasks}");
    assert!(!tasks["tasks"].as_array().unwrap().is_empty(), "{tasks}");
}

#[tokio::test]
async fn the_callers_request_id_is_given_back() {
    let app = App::start().await;
    assert_eq!(
        app.get_with("/orders/dev", "x-request-id", "abc")
            .await
            .header("x-request-id"),
        "abc"
    );
    let long = "x".repeat(200);
    assert!(
        !app.get_with("/orders/dev", "x-request-id", &long)
            .await
            .has("x-request-id")
    );
}

#[tokio::test]
async fn the_actuators_refresh_looks_at_the_remote() {
    let app = App::start().await;
    app.get("/orders/dev").await;
    app.git.commit_file("orders.yml", "a: 2\n").unwrap();
    let refreshed = answer(app.request(Method::POST, "/actuator/refresh")).await;
    assert_eq!((refreshed.status, refreshed.body.as_str()), (StatusCode::OK, "[]"));
    assert!(app.get("/orders-dev.yml").await.body.contains("a: 2"));
}

#[tokio::test]
async fn endpoints_that_are_read_only_are_not_told_to_do_anything() {
    let app = App::start_with(|settings| settings.management.default_access = Access::ReadOnly).await;
    for path in [
        "/actuator/refresh",
        "/actuator/busrefresh",
        "/actuator/busenv",
        "/actuator/busshutdown",
    ] {
        let refused = answer(app.request(Method::POST, path)).await.status;
        assert!(refused.is_client_error(), "{path}: {refused}");
    }
    assert_eq!(app.get("/actuator/health").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_settings_that_were_written_show_without_values_unless_wanted() {
    let written = || vec![("server.port".to_owned(), "8888".to_owned())].into();
    let hidden = App::start_with(|settings| {
        settings.shown = written();
        settings.profiles = vec!["native".to_owned()];
    })
    .await;
    let environment = json(&hidden, "/actuator/env").await;
    assert_eq!(environment["activeProfiles"], json!(["native"]));
    let properties = |environment: &Value| environment["propertySources"][0]["properties"]["server.port"].clone();
    assert_eq!(properties(&environment), json!({ "value": "******" }));
    let shown = App::start_with(|settings| {
        settings.shown = written();
        settings.management.env_values = Show::Always;
    })
    .await;
    assert_eq!(
        properties(&json(&shown, "/actuator/env").await),
        json!({ "value": "8888" })
    );
    assert_eq!(
        json(&shown, "/actuator/env/server.port").await["property"]["value"],
        "8888"
    );
    assert_eq!(shown.get("/actuator/env/nothing").await.status, StatusCode::NOT_FOUND);
}
