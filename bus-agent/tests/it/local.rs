use std::fs;

use bus::Signal;
use bus_agent::testing::{Fault, Origin};
use contract::{BusEvent, BusId, Destination, EventId, EventKind, Message};
use serde_json::json;

use super::Running;

#[tokio::test]
async fn an_operator_s_file_wins_over_the_server_even_while_it_is_away() {
    let origin = Origin::serving(json!({"x": 1, "y": 1})).await;
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join("10.yml"), "x: 10\n").expect("written");
    let running = Running::start(&origin, |agent| agent.overrides(directory.path())).await;
    assert_eq!(running.value("x").as_deref(), Some("10"));
    assert_eq!(running.value("y").as_deref(), Some("1"));
    origin.broken(Some(Fault::Status(500, vec![], String::new())));
    fs::write(directory.path().join("20.properties"), "x=20\n").expect("written");
    running.until(|state| state.applied_total == 2).await;
    assert_eq!(running.value("x").as_deref(), Some("20"));
    fs::remove_file(directory.path().join("20.properties")).expect("removed");
    fs::remove_file(directory.path().join("10.yml")).expect("removed");
    running.until(|state| state.applied_total >= 3).await;
    origin.broken(None);
    origin.commit(json!({"x": 2, "y": 2}));
    running.agent.refresh();
    running
        .until(|state| {
            state
                .live
                .as_ref()
                .is_some_and(|live| live.revision.digest == "content-2")
        })
        .await;
    assert_eq!(running.value("x").as_deref(), Some("2"));
}

#[tokio::test]
async fn an_environment_change_is_pinned_only_when_that_is_wanted() {
    let pin = || {
        let origin: BusId = "config-server:8888:test".parse().expect("an id");
        let mut event = BusEvent::refresh(EventId::received("pin"), 0, &origin, Destination::everyone());
        event.kind = EventKind::EnvironmentChange([("x".to_owned(), Some("9".to_owned()))].into_iter().collect());
        Signal::Received(Message { event, notice: None })
    };
    let origin = Origin::serving(json!({"x": 1})).await;
    let mut wanting = Running::start(&origin, |agent| agent.environment_changes(true)).await;
    wanting.bus.tell(pin()).await;
    wanting.bus.report(|report| !report.events.is_empty()).await;
    assert_eq!(wanting.value("x").as_deref(), Some("9"));
    origin.commit(json!({"x": 2, "y": 2}));
    wanting.agent.refresh();
    wanting.until(|state| state.applied_total == 3).await;
    assert_eq!(wanting.value("x").as_deref(), Some("9"));
    assert_eq!(wanting.value("y").as_deref(), Some("2"));

    let mut ignoring = Running::start(&origin, |agent| agent).await;
    ignoring.bus.tell(pin()).await;
    ignoring.bus.refresh("e", None).await;
    ignoring.bus.report(|report| !report.events.is_empty()).await;
    assert_eq!(ignoring.value("x").as_deref(), Some("2"));
}
