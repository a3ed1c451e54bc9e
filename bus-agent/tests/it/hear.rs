use std::time::Duration;

use bus::Signal;
use bus_agent::testing::{Fault, Origin, commit};
use contract::{Affects, Notice, Outcome, Scope};
use serde_json::json;
use tokio::time::Instant;

use super::Running;

#[tokio::test]
async fn a_notice_makes_the_new_value_live_and_is_reported_after() {
    let origin = Origin::serving(json!({"x": 1})).await;
    let mut running = Running::start(&origin, |agent| agent).await;
    let to = origin.commit(json!({"x": 2}));
    running.bus.refresh("e1", Some(origin.notice())).await;
    let report = running.bus.report(|report| !report.events.is_empty()).await;
    assert_eq!(report.outcome, Outcome::Applied);
    assert_eq!(report.commit, Some(to.clone()));
    assert_eq!(report.digest.as_deref(), Some("content-2"));
    assert_eq!(running.value("x").as_deref(), Some("2"));
    let last = origin.asked().pop().expect("asked");
    assert_eq!(last.path, "/orders/dev,eu/main");
    let asked = last.at_least.expect("a lower bound");
    assert!(asked.starts_with(to.as_str()), "{asked}");
    assert_eq!(last.if_none_match.as_deref(), Some("\"content-1\""));
    assert_eq!(last.accept.as_deref(), Some(contract::headers::ENVIRONMENT_V2));
}

#[tokio::test]
async fn a_start_is_reported_with_what_is_live() {
    let origin = Origin::serving(json!({"x": 1})).await;
    let mut running = Running::start(&origin, |agent| agent).await;
    let report = running.bus.report(|_| true).await;
    assert_eq!((report.outcome, report.commit), (Outcome::Applied, Some(commit(1))));
    assert_eq!(report.bus_id, running.agent.follows().bus_id);
}

#[tokio::test]
async fn a_commit_that_changes_nothing_fires_nothing_and_moves_the_version() {
    let origin = Origin::serving(json!({"x": 1})).await;
    let mut running = Running::start(&origin, |agent| agent).await;
    let to = origin.commit(json!({"x": 1}));
    running.bus.refresh("e1", Some(origin.notice())).await;
    let report = running.bus.report(|report| !report.events.is_empty()).await;
    assert_eq!((report.outcome, report.commit), (Outcome::Unchanged, Some(to.clone())));
    assert_eq!(running.application.values("x"), ["1"]);
    assert_eq!(running.agent.configuration().revision().commit(), Some(to));
}

#[tokio::test]
async fn a_notice_for_others_makes_no_request() {
    let origin = Origin::serving(json!({"x": 1})).await;
    let mut running = Running::start(&origin, |agent| agent).await;
    let asked = origin.asked().len();
    let others = Notice {
        affects: Affects::union([Scope::new(Some("stock"), None)]),
        ..origin.notice()
    };
    running.bus.refresh("others", Some(others)).await;
    running.bus.refresh("ours", Some(origin.notice())).await;
    let report = running.bus.report(|report| !report.events.is_empty()).await;
    assert_eq!(report.events.len(), 1);
    assert_eq!(origin.asked().len(), asked + 1);
}

#[tokio::test]
async fn the_state_says_since_when_the_bus_is_away_and_which_way_it_goes() {
    let origin = Origin::serving(json!({"x": 1})).await;
    let running = Running::start(&origin, |agent| agent).await;
    running.bus.tell(Signal::Connected).await;
    let connected = running.until(|state| state.connected).await;
    assert!(!connected.detour);
    running.bus.tell(Signal::Lost("gone".to_owned())).await;
    let away = running.until(|state| !state.connected).await;
    assert!(away.since >= connected.since && away.since.is_some(), "{away:?}");
    running.bus.goes_round(true);
    running.bus.tell(Signal::Connected).await;
    let round = running.until(|state| state.connected && state.detour).await;
    assert!(round.since >= away.since);
    running.bus.refresh("e1", None).await;
    running.until(|state| state.last_notice >= round.since).await;
    running.bus.goes_round(false);
    running.until(|state| !state.detour).await;
}

#[tokio::test]
async fn a_connection_that_comes_back_leads_to_a_look_for_what_was_missed() {
    let origin = Origin::serving(json!({"x": 1})).await;
    let running = Running::start(&origin, |agent| agent).await;
    running.bus.tell(Signal::Connected).await;
    running.until(|state| state.connected).await;
    running.bus.tell(Signal::Lost("gone".to_owned())).await;
    running.until(|state| !state.connected).await;
    origin.commit(json!({"x": 2}));
    running.bus.tell(Signal::Connected).await;
    running.until(|state| state.applied_total == 2).await;
    assert_eq!(running.value("x").as_deref(), Some("2"));
}

#[tokio::test]
async fn without_any_notice_the_timer_finds_the_change() {
    let origin = Origin::serving(json!({"x": 1})).await;
    let running = Running::start(&origin, |agent| agent.interval(Duration::from_millis(50))).await;
    origin.commit(json!({"x": 2}));
    running.until(|state| state.applied_total == 2).await;
    assert_eq!(running.value("x").as_deref(), Some("2"));
}

#[tokio::test]
async fn a_server_that_is_behind_is_asked_again_when_it_wishes() {
    let origin = Origin::serving(json!({"x": 1})).await;
    let mut running = Running::start(&origin, |agent| agent).await;
    origin.commit(json!({"x": 2}));
    let wish = vec![("retry-after", "1".to_owned())];
    let said = r#"{"detail":"the commit is not here yet"}"#.to_owned();
    origin.fail_next(Fault::Status(503, wish, said));
    let before = Instant::now();
    running.bus.refresh("e1", Some(origin.notice())).await;
    let failed = running.bus.report(|report| report.outcome == Outcome::Failed).await;
    assert!(
        failed
            .reason
            .as_deref()
            .is_some_and(|reason| reason.contains("not here yet")),
        "{failed:?}"
    );
    let applied = running
        .bus
        .report(|report| report.outcome == Outcome::Applied && !report.events.is_empty())
        .await;
    assert!(before.elapsed() >= Duration::from_secs(1));
    assert!(applied.millis >= 1_000, "{applied:?}");
}

#[tokio::test]
async fn an_older_answer_of_the_same_log_is_not_believed() {
    let origin = Origin::serving(json!({"x": 1})).await;
    let mut running = Running::start(&origin, |agent| agent).await;
    origin.commit(json!({"x": 2}));
    running.bus.refresh("e1", Some(origin.notice())).await;
    running.until(|state| state.applied_total == 2).await;
    origin.behind(1, json!({"x": 1}));
    running.agent.refresh();
    running.bus.report(|report| report.outcome == Outcome::Failed).await;
    assert_eq!(running.value("x").as_deref(), Some("2"));
    assert_eq!(running.application.values("x"), ["1", "2"]);
}

#[tokio::test]
async fn an_agent_that_stops_says_so() {
    let origin = Origin::serving(json!({"x": 1})).await;
    let mut running = Running::start(&origin, |agent| agent).await;
    running.stop.cancel();
    running.bus.report(|report| report.outcome == Outcome::Stopped).await;
    running.tracker.close();
    tokio::time::timeout(Duration::from_secs(5), running.tracker.wait())
        .await
        .expect("stopped in time");
}

#[tokio::test]
async fn dropping_the_handle_stops_the_task() {
    let origin = Origin::serving(json!({"x": 1})).await;
    let running = Running::start(&origin, |agent| agent).await;
    let Running { agent, tracker, .. } = running;
    drop(agent);
    tracker.close();
    tokio::time::timeout(Duration::from_secs(5), tracker.wait())
        .await
        .expect("stopped in time");
}
