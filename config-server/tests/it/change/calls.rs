//! Calls of operators and webhooks, one by one.

use config_server::settings::MonitorSettings;
use config_server::settings::encrypt::Secret;
use config_server::settings::monitor::Provider;
use contract::report::Outcome;
use contract::{BusEvent, EventKind};
use http::{Method, StatusCode};

use super::harness::{Broker, DEADLINE, Server};

const JSON: (&str, &str) = ("content-type", "application/json");
const PUSH: &str = r#"{"commits":[{"added":["orders-dev.yml"],"removed":[],"modified":["application.yml"]}]}"#;

#[tokio::test]
async fn a_webhook_makes_the_server_look_and_the_moves_event_is_enough() {
    let server = Server::start().await;
    let mut agent = server.listen();
    let pushed = server.push("a: 2\n");
    let github = [JSON, ("x-github-event", "push")];
    let answer = server.call(Method::POST, "/monitor", &github, PUSH).await;
    assert_eq!(
        (answer.status.as_u16(), answer.body.as_str()),
        (200, r#"["orders-dev","orders","*"]"#)
    );
    assert_eq!(agent.hear().await.notice.map(|notice| notice.to), Some(pushed));
    let again = server.call(Method::POST, "/monitor", &github, PUSH).await;
    assert_eq!(again.status.as_u16(), 200);
    let mut sent = Vec::new();
    for _ in 0..2 {
        let event = agent.hear().await.event;
        sent.push(event.destination.expect("a destination").to_string());
    }
    assert_eq!(sent, ["orders:**", "*:**"]);
    let listed = server.get("/bus/refreshes").await.json();
    assert_eq!(listed.as_array().map(Vec::len), Some(4));
    assert_eq!(listed[0]["cause"], "webhook");
    server.end().await;
}

#[tokio::test]
async fn a_webhook_without_its_secret_stays_outside() {
    let mut monitor = MonitorSettings::default();
    monitor.secrets.insert(Provider::Gitlab, Secret::new("s3cret".into()));
    let server = Server::start_with(monitor, None).await;
    let gitlab = [JSON, ("x-gitlab-event", "Push Hook")];
    let answer = server.call(Method::POST, "/monitor", &gitlab, PUSH).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.text("detail").contains("gitlab") && !answer.body.contains("s3cret"));
    assert_eq!(server.get("/bus/refreshes").await.body, "[]");
    let proved = [JSON, ("x-gitlab-event", "Push Hook"), ("x-gitlab-token", "s3cret")];
    let answer = server.call(Method::POST, "/monitor", &proved, PUSH).await;
    assert_eq!(answer.status, StatusCode::OK);
    server.end().await;
}

#[tokio::test]
async fn what_a_webhook_cannot_be_is_answered_as_by_the_stock_server() {
    let server = Server::start().await;
    for (method, headers, body, status) in [
        (Method::POST, ("content-type", "text/plain"), "path=a.yml", 415),
        (Method::POST, JSON, "{", 400),
        (Method::POST, JSON, "[]", 400),
        (
            Method::POST,
            ("content-type", "application/x-www-form-urlencoded"),
            "other=x",
            400,
        ),
        (Method::GET, JSON, "", 405),
    ] {
        let answer = server.call(method, "/monitor", &[headers], body).await;
        assert_eq!(answer.status.as_u16(), status, "{body}");
        assert_eq!(answer.json()["status"], status);
        assert_eq!(answer.json()["path"], "/monitor");
    }
    let unacceptable = [JSON, ("accept", "application/xml")];
    let answer = server
        .call(Method::POST, "/monitor", &unacceptable, r#"{"path":"orders.yml"}"#)
        .await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (406, ""));
    assert_eq!(server.get("/bus/refreshes").await.json()[0]["destination"], "orders:**");
    server.end().await;
}

#[tokio::test]
async fn springs_refresh_goes_where_the_recorded_calls_went() {
    let server = Server::start().await;
    for (path, destination) in [
        ("/actuator/busrefresh", "**"),
        ("/actuator/bus-refresh", "**"),
        ("/actuator/busrefresh/demo-client", "demo-client:**"),
        ("/actuator/busrefresh/demo-client/dev", "demo-client:dev:**"),
        ("/actuator/busrefresh/demo-client%3A%2A%2A", "demo-client:**"),
        ("/actuator/busrefresh/demo-client:dev,cloud", "demo-client:dev,cloud:**"),
        ("/actuator/busrefresh/*", "*:**"),
        ("/actuator/busrefresh/", ":**"),
        ("/actuator/busrefresh?destination=orders", "orders:**"),
        ("/bus/refresh/demo-client/dev", "demo-client:dev:**"),
    ] {
        let answer = server.call(Method::POST, path, &[JSON], PUSH).await;
        assert!(answer.status.is_success(), "{path}: {answer:?}");
        let listed = server.get("/bus/refreshes").await.json();
        assert_eq!(listed[0]["destination"], destination, "{path}");
    }
    let answer = server.get("/actuator/busrefresh").await;
    assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, Some("POST")));
    assert_eq!(answer.text("error"), "Method Not Allowed");
    server.end().await;
}

#[tokio::test]
async fn springs_environment_change_sends_one_pair() {
    let server = Server::start().await;
    let mut agent = server.listen();
    let body = r#"{"name":"demo.extra","value":"x1"}"#;
    let answer = server
        .call(Method::POST, "/actuator/busenv/orders", &[JSON], body)
        .await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (204, ""));
    let event = agent.hear().await.event;
    assert_eq!(event.destination.map(|d| d.to_string()).as_deref(), Some("orders:**"));
    let EventKind::EnvironmentChange(values) = event.kind else {
        panic!("an environment change");
    };
    assert_eq!(values.get("demo.extra"), Some(&Some("x1".to_owned())));
    let answer = server
        .call(Method::POST, "/actuator/busenv", &[JSON], r#"{"name":"x"}"#)
        .await;
    assert_eq!(answer.status.as_u16(), 400);
    let answer = server.post("/actuator/busenv").await;
    assert_eq!(answer.status.as_u16(), 415);
    server.end().await;
}

#[tokio::test]
async fn springs_shutdown_goes_where_its_path_says_and_nobody_is_expected_to_answer() {
    let server = Server::start().await;
    server.report("orders:1:a", &[], &server.head(), Outcome::Applied).await;
    for (path, destination) in [
        ("/actuator/busshutdown", "**"),
        ("/actuator/busshutdown/orders", "orders:**"),
        ("/actuator/busshutdown/orders/dev", "orders:dev:**"),
        ("/actuator/busshutdown/orders:1:a", "orders:1:a"),
        ("/actuator/busshutdown/orders/1/a", "orders:1:a"),
        ("/actuator/busshutdown/orders%3A%2A%2A", "orders:**"),
        ("/actuator/busshutdown?destination=orders", "orders:**"),
        ("/actuator/busshutdown?destination=", ":**"),
        ("/actuator/busshutdown/", ":**"),
    ] {
        let answer = server.call(Method::POST, path, &[JSON], PUSH).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (204, ""), "{path}");
        let listed = server.get("/bus/refreshes").await.json();
        assert_eq!(listed[0]["destination"], destination, "{path}");
        assert_eq!(listed[0]["summary"]["silent"], 0, "{path}");
    }
    let answer = server.get("/actuator/busshutdown").await;
    assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, Some("POST")));
    server.end().await;
}

#[tokio::test]
async fn a_shutdown_event_waits_for_the_broker_and_is_springs_json_to_the_byte() {
    let (broker, mut bus) = Broker::away();
    let server = Server::start_with(MonitorSettings::default(), Some(broker.clone())).await;
    let mut agent = server.listen();
    assert_eq!(server.post("/actuator/busshutdown/*").await.status.as_u16(), 204);
    let shown = agent.hear().await;
    assert_eq!(server.get("/bus/refreshes").await.json()[0]["state"], "queued");
    broker.comes_back();
    let sent = tokio::time::timeout(DEADLINE, bus.recv())
        .await
        .expect("in time")
        .expect("an event");
    assert_eq!(sent, shown, "the agents of this server need not wait");
    let BusEvent {
        id, timestamp, origin, ..
    } = &sent.event;
    assert_eq!(*origin, server.change.settings().bus_id.to_string());
    let expected = format!(
        r#"{{"type":"ShutdownRemoteApplicationEvent","timestamp":{timestamp},"originService":"{origin}","destinationService":"*:**","id":"{id}"}}"#
    );
    assert_eq!(String::from_utf8_lossy(&sent.event.to_json()), expected);
    server.end().await;
}

#[tokio::test]
async fn our_routes_say_what_is_wrong_as_problems() {
    let server = Server::start().await;
    for (method, path, status) in [
        (Method::GET, "/bus/refresh", 405),
        (Method::POST, "/bus/refresh?wait=soon", 400),
        (Method::GET, "/bus/refreshes/unknown", 404),
        (Method::GET, "/bus/events?id=a:*:b&application=orders", 400),
        (Method::GET, "/bus/events", 400),
        (Method::POST, "/bus/reports", 400),
        (Method::DELETE, "/bus/agents", 405),
        (Method::GET, "/bus/agents?limit=0", 400),
        (Method::GET, "/bus/agents?state=fine", 400),
    ] {
        let answer = server.call(method, path, &[], "").await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        assert_eq!(answer.json()["status"], status, "{path}");
        assert!(answer.text("type").starts_with("urn:config-bus:problem:"));
    }
    server.end().await;
}

#[tokio::test]
async fn the_list_of_agents_tells_who_runs_what_and_who_drifts() {
    let server = Server::start().await;
    let (old, new) = (server.head(), server.push("a: 2\n"));
    server.report("orders:1:a", &[], &old, Outcome::Applied).await;
    server.report("orders:2:b", &[], &new, Outcome::Applied).await;
    let agents = server.get("/bus/agents?application=orders").await.json();
    let runs: Vec<_> = agents
        .as_array()
        .expect("a list")
        .iter()
        .map(|a| a["commit"].as_str())
        .collect();
    assert_eq!(runs, [Some(old.as_str()), Some(new.as_str())]);
    assert_eq!(server.get("/bus/agents?application=stock").await.body, "[]");
    let drift = server.get("/bus/agents/drift").await.json();
    assert_eq!(
        (drift[0]["application"].as_str(), drift[0]["digests"].as_u64()),
        (Some("orders"), Some(2))
    );
    server.report("orders:1:a", &[], &new, Outcome::Applied).await;
    assert_eq!(server.get("/bus/agents/drift").await.body, "[]");
    server.end().await;
}

#[tokio::test]
async fn a_long_list_of_agents_comes_in_pages_that_lead_to_each_other() {
    let server = Server::start().await;
    let head = server.head();
    for number in 0..5 {
        let outcome = if number == 3 { Outcome::Failed } else { Outcome::Applied };
        server.report(&format!("orders:{number}:a"), &[], &head, outcome).await;
    }
    let (mut path, mut listed) = ("/bus/agents?application=orders&limit=2".to_owned(), Vec::new());
    for rest in [3, 1, 0] {
        let answer = server.get(&path).await;
        assert_eq!(answer.header("x-total-count"), Some("5"));
        let agents = answer.json().as_array().expect("a list").clone();
        listed.extend(
            agents
                .iter()
                .map(|agent| agent["busId"].as_str().expect("an id").to_owned()),
        );
        let next = answer
            .header("link")
            .and_then(|link| link.strip_prefix('<')?.strip_suffix(">; rel=\"next\""));
        assert_eq!(next.is_some(), rest > 0, "{answer:?}");
        path = next.unwrap_or_default().to_owned();
    }
    let all: Vec<String> = (0..5).map(|number| format!("orders:{number}:a")).collect();
    assert_eq!(listed, all);
    let failed = server.get("/bus/agents?state=failed").await;
    assert_eq!(
        (failed.header("x-total-count"), failed.header("link")),
        (Some("1"), None)
    );
    assert_eq!(failed.json()[0]["busId"], "orders:3:a");
    server.end().await;
}
