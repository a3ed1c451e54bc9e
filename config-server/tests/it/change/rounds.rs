//! From a push to the last agent's answer.

use contract::delivery::EventState;
use contract::report::Outcome;
use contract::{DeliveryReport, Destination, RefreshReceipt};
use http::StatusCode;

use super::harness::{Broker, DEADLINE, Server};

const AGENT: &str = "orders:8080:a";

#[tokio::test]
async fn a_call_that_waits_answers_when_every_agent_has() {
    let server = Server::start().await;
    let before = server.head();
    server.report(AGENT, &[], &before, Outcome::Applied).await;
    let mut agent = server.listen();
    let pushed = server.push("a: 2\n");
    let asked = server.post("/bus/refresh?wait=30s");
    let answers = async {
        let heard = agent.hear().await;
        let notice = heard.notice.expect("a notice");
        assert_eq!((notice.from.as_ref(), &notice.to), (Some(&before), &pushed));
        assert_eq!(server.head(), pushed, "swapped before the event left");
        server.report(AGENT, &[heard.event.id], &pushed, Outcome::Applied).await;
    };
    let (answer, ()) = tokio::join!(asked, answers);
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let report: DeliveryReport = serde_json::from_str(&answer.body).expect("a report");
    assert_eq!((report.commit, report.previous), (Some(pushed.clone()), Some(before)));
    assert_eq!((report.summary.applied, report.summary.silent), (1, 0));
    assert_eq!(report.agents[0].commit, Some(pushed));
    assert_eq!(report.latency.map(|latency| latency.count), Some(1));
    assert_eq!(report.state, EventState::Published);
    let listed = server.get("/bus/refreshes").await.json();
    assert_eq!(listed[0]["id"], report.id.as_str());
    assert_eq!(listed[0]["summary"]["applied"], 1);
    server.end().await;
}

#[tokio::test]
async fn a_call_that_waits_names_the_silent_when_time_is_up() {
    let server = Server::start().await;
    server.report(AGENT, &[], &server.head(), Outcome::Applied).await;
    let answer = server.post("/bus/refresh/orders?wait=50ms").await;
    let report: DeliveryReport = serde_json::from_str(&answer.body).expect("a report");
    assert_eq!(report.destination.as_str(), "orders:**");
    assert_eq!((report.agents.len(), report.summary.silent), (1, 1));
    assert_eq!(report.agents[0].outcome, None);
    server.end().await;
}

#[tokio::test]
async fn a_moved_head_is_answered_with_its_own_event() {
    let server = Server::start().await;
    let before = server.head();
    let pushed = server.push("a: 2\n");
    let answer = server.post("/bus/refresh").await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let receipt: RefreshReceipt = serde_json::from_str(&answer.body).expect("a receipt");
    assert_eq!((receipt.commit, receipt.previous), (Some(pushed), Some(before)));
    assert_eq!(receipt.destination, Destination::everyone());
    assert_eq!(receipt.state, EventState::Published);
    let report = server.get(&receipt.report).await;
    assert_eq!(report.status, StatusCode::OK);
    assert_eq!(report.text("cause"), "operator");
    server.end().await;
}

#[tokio::test]
async fn with_nothing_new_the_event_still_goes_to_its_destination() {
    let server = Server::start().await;
    let mut agent = server.listen();
    let answer = server.post("/bus/refresh?destination=orders").await;
    let receipt: RefreshReceipt = serde_json::from_str(&answer.body).expect("a receipt");
    assert_eq!((receipt.commit, receipt.previous), (Some(server.head()), None));
    let event = agent.hear().await.event;
    assert_eq!(event.destination.map(|d| d.to_string()).as_deref(), Some("orders:**"));
    server.end().await;
}

#[tokio::test]
async fn with_the_broker_away_the_event_is_queued_and_arrives_once_it_is_back() {
    let (broker, mut bus) = Broker::away();
    let server = Server::start_with(Default::default(), Some(broker.clone())).await;
    let answer = server.post("/bus/refresh").await;
    assert_eq!(answer.text("state"), "queued");
    let spring = server.post("/actuator/busrefresh").await;
    assert_eq!(spring.status, StatusCode::NO_CONTENT);
    broker.comes_back();
    let first = tokio::time::timeout(DEADLINE, bus.recv())
        .await
        .expect("in time")
        .expect("an event");
    assert_eq!(first.event.id.as_str(), answer.text("id"));
    let report = format!("/bus/refreshes/{}", first.event.id);
    test_support::eventually!(DEADLINE, server.get(&report).await.text("state") == "published");
    server.end().await;
}

#[tokio::test]
async fn a_repository_that_cannot_be_reached_is_told_and_the_event_goes_out() {
    let server = Server::start().await;
    server.git.hide().expect("hidden");
    let answer = server.post("/bus/refresh").await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let failures = answer.json()["failures"].clone();
    assert_eq!(failures.as_array().map(Vec::len), Some(1), "{failures}");
    assert!(!failures.to_string().contains(&*server.git.root().to_string_lossy()));
    server.end().await;
}

#[tokio::test]
async fn a_server_that_ends_between_the_move_and_the_event_sends_it_at_its_next_start() {
    let (broker, mut bus) = Broker::away();
    let server = Server::start_with(Default::default(), Some(broker.clone())).await;
    let pushed = server.push("a: 2\n");
    let answer = server.post("/bus/refresh").await;
    assert_eq!(
        (answer.text("commit"), answer.text("state")),
        (pushed.to_string(), "queued".to_owned())
    );
    broker.comes_back();
    let server = server.restart(Some(broker), |_| {}).await;
    let event = tokio::time::timeout(DEADLINE, bus.recv())
        .await
        .expect("in time")
        .expect("an event");
    assert_eq!(event.event.id.as_str(), answer.text("id"));
    assert_eq!(event.notice.map(|notice| notice.to), Some(pushed));
    server.end().await;
}

#[tokio::test]
async fn what_was_pushed_while_the_server_was_away_is_announced_at_its_next_start() {
    let (broker, mut bus) = Broker::away();
    broker.comes_back();
    let server = Server::start_with(Default::default(), Some(broker.clone())).await;
    let before = server.head();
    let pushed = |git: &test_support::GitFixture| {
        git.commit_file("orders.yml", "a: 3\n").expect("a commit");
    };
    let server = server.restart(Some(broker), pushed).await;
    let event = tokio::time::timeout(DEADLINE, bus.recv())
        .await
        .expect("in time")
        .expect("an event");
    let notice = event.notice.expect("a notice");
    assert_eq!((notice.from, notice.to), (Some(before), server.head()));
    assert!(notice.affects.covers(&["orders"], &["default"]));
    assert!(!notice.affects.covers(&["stock"], &["default"]));
    server.end().await;
}
