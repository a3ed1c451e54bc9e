//! Shutdown events, sent and obeyed.

use config_server::settings::Settings;
use config_server::settings::management::Access;
use contract::{EventKind, Message};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use tokio::time::timeout;

use super::harness::{App, DEADLINE, answer};

const PATH: &str = "/actuator/busshutdown";

async fn post(app: &App, path: &str) -> StatusCode {
    answer(app.request(Method::POST, path)).await.status
}

/// The newest event, once the bus has it.
async fn published(app: &App) -> Value {
    test_support::eventually("the event is published", DEADLINE, async || {
        let listed: Value = serde_json::from_str(&app.get("/bus/refreshes").await.body).ok()?;
        (listed[0]["state"] == "published").then(|| listed[0].clone())
    })
    .await
}

#[tokio::test]
async fn a_server_that_obeys_ends_by_its_own_event_after_its_agents_have_heard_it() {
    let app = App::start_with(|settings| settings.change.shutdown_events = true).await;
    let url = "/bus/events?id=orders:0:x&application=orders&profiles=dev";
    let stream = app.request(Method::GET, url).send().await.unwrap();
    assert_eq!(post(&app, &format!("{PATH}/stock")).await, StatusCode::NO_CONTENT);
    published(&app).await;
    assert_eq!(app.get("/orders/dev").await.status, StatusCode::OK);
    assert_eq!(post(&app, PATH).await, StatusCode::NO_CONTENT);
    let heard = timeout(DEADLINE, stream.text())
        .await
        .expect("the stream ends")
        .unwrap();
    let events: Vec<Message> = heard
        .lines()
        .filter_map(|line| Message::from_frame(line.strip_prefix("data: ")?).ok())
        .collect();
    assert_eq!(events.len(), 1, "{heard}");
    assert_eq!(events[0].event.kind, EventKind::Shutdown);
    app.ended().await.unwrap();
}

#[tokio::test]
async fn a_server_sends_shutdown_events_and_stays_unless_it_is_told_to_obey_them() {
    let app = App::start().await;
    assert_eq!(
        post(&app, &format!("{PATH}/config-server")).await,
        StatusCode::NO_CONTENT
    );
    assert_eq!(published(&app).await["destination"], "config-server:**");
    assert_eq!(app.get("/orders/dev").await.status, StatusCode::OK);
    app.stop().await.unwrap();
}

#[tokio::test]
async fn a_shutdown_is_sent_only_where_its_endpoint_is_exposed_and_on() {
    for (exposes, change) in [
        (true, (|_| {}) as fn(&mut Settings)),
        (false, |settings| {
            settings.management.exposure.include = vec!["health".into()]
        }),
        (false, |settings| {
            settings.management.exposure.exclude = vec!["busshutdown".into()]
        }),
        (false, |settings| {
            settings.management.endpoints.insert("busshutdown".into(), Access::None);
        }),
        (false, |settings| {
            settings
                .management
                .endpoints
                .insert("busshutdown".into(), Access::ReadOnly);
        }),
    ] {
        let app = App::start_with(change).await;
        for path in [
            PATH.to_owned(),
            format!("{PATH}/orders"),
            format!("{PATH}/orders/dev/8080"),
        ] {
            let status = post(&app, &path).await;
            if exposes {
                assert_eq!(status, StatusCode::NO_CONTENT, "{path}");
            } else {
                // Then it is the path of an application called `actuator`, which is only read: what
                // the stock server says to `POST /foo/dev`.
                assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
            }
        }
        let sent = app.get("/bus/refreshes").await.body.matches("\"destination\"").count();
        assert_eq!(sent, if exposes { 3 } else { 0 });
    }
}
