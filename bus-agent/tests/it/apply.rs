use bus_agent::Veto;
use bus_agent::testing::Origin;
use contract::Outcome;
use serde_json::json;

use super::Running;

#[tokio::test]
async fn the_application_is_told_which_keys_changed() {
    let origin = Origin::serving(json!({"a": 1, "b": 1})).await;
    let running = Running::start(&origin, |agent| agent).await;
    origin.commit(json!({"a": 1, "b": 2, "c": 3}));
    running.agent.refresh();
    running.until(|state| state.applied_total == 2).await;
    let seen = running.application.seen.lock().expect("not poisoned");
    assert_eq!(seen[0].1.iter().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(seen[1].1.iter().collect::<Vec<_>>(), ["b", "c"]);
}

#[tokio::test]
async fn a_veto_keeps_what_is_live_and_is_reported_with_its_reason() {
    let origin = Origin::serving(json!({"x": 1})).await;
    let mut running = Running::start(&origin, |agent| agent).await;
    running.application.refuse_next(Veto::refused("`x` is too large"));
    origin.commit(json!({"x": 999}));
    running.bus.refresh("e1", Some(origin.notice())).await;
    let report = running.bus.report(|report| report.outcome == Outcome::Vetoed).await;
    assert_eq!(report.reason.as_deref(), Some("`x` is too large"));
    assert_eq!(report.commit, Some(bus_agent::testing::commit(1)));
    assert_eq!(running.value("x").as_deref(), Some("1"));
    origin.commit(json!({"x": 3}));
    running.bus.refresh("e2", Some(origin.notice())).await;
    running.until(|state| state.applied_total == 2).await;
    assert_eq!(running.application.values("x"), ["1", "3"]);
}

#[tokio::test]
async fn an_apply_that_failed_is_tried_again() {
    let origin = Origin::serving(json!({"x": 1})).await;
    let mut running = Running::start(&origin, |agent| agent).await;
    running
        .application
        .refuse_next(Veto::failed("the command ended with 1"));
    origin.commit(json!({"x": 2}));
    running.bus.refresh("e1", Some(origin.notice())).await;
    running.bus.report(|report| report.outcome == Outcome::Failed).await;
    let applied = running
        .bus
        .report(|report| report.outcome == Outcome::Applied && !report.events.is_empty())
        .await;
    assert_eq!(applied.events.len(), 1);
    assert_eq!(running.application.values("x"), ["1", "2"]);
}

#[tokio::test]
async fn a_stock_server_without_entity_tags_is_followed_and_stays_quiet() {
    let origin = Origin::serving(json!({"x": 1})).await;
    origin.stock();
    let mut running = Running::start(&origin, |agent| agent).await;
    let to = origin.commit(json!({"x": 1}));
    running.bus.refresh("e1", None).await;
    let report = running.bus.report(|report| !report.events.is_empty()).await;
    assert_eq!((report.outcome, report.commit), (Outcome::Unchanged, Some(to)));
    origin.commit(json!({"x": 2}));
    running.bus.refresh("e2", None).await;
    running.until(|state| state.applied_total == 2).await;
    assert_eq!(running.application.values("x"), ["1", "2"]);
    // A lower bound means nothing to such a server; a tag would have to come from it.
    assert!(origin.asked().iter().all(|asked| asked.if_none_match.is_none()));
}
