use std::time::{Duration, SystemTime};

use bus_agent::testing::Origin;
use contract::{EventId, Outcome};
use serde_json::json;
use tokio::time::timeout;

use super::Running;

#[tokio::test]
async fn a_shutdown_event_asks_the_owner_and_the_farewell_names_it() {
    let origin = Origin::serving(json!({"x": 1})).await;
    let mut running = Running::start(&origin, |agent| agent.shutdown_events(true)).await;
    running.bus.shut_down("end", SystemTime::now()).await;
    timeout(Duration::from_secs(10), running.agent.shutdown_asked())
        .await
        .expect("asked");
    // To end is up to the owner: until then the agent follows on.
    origin.commit(json!({"x": 2}));
    running.agent.refresh();
    running
        .until(|state| state.applied_total == 2 && state.shutdown_asked.is_some())
        .await;
    running.stop.cancel();
    let farewell = running.bus.report(|report| report.outcome == Outcome::Stopped).await;
    assert_eq!(farewell.events, [EventId::received("end")]);
}

#[tokio::test]
async fn a_shutdown_event_of_before_the_start_or_where_they_are_off_asks_nobody() {
    let origin = Origin::serving(json!({"x": 1})).await;
    let long_ago = SystemTime::now() - Duration::from_secs(60);
    for (honoured, made) in [(true, long_ago), (false, SystemTime::now())] {
        let mut running = Running::start(&origin, |agent| agent.shutdown_events(honoured)).await;
        running.bus.shut_down("end", made).await;
        running.bus.refresh("after", None).await;
        running.bus.report(|report| !report.events.is_empty()).await;
        assert_eq!(running.agent.state().borrow().shutdown_asked, None, "{honoured}");
        running.stop.cancel();
        let farewell = running.bus.report(|report| report.outcome == Outcome::Stopped).await;
        assert_eq!(farewell.events, []);
        // Nor is anybody told that the agent is gone.
        let asked = timeout(Duration::from_millis(20), running.agent.shutdown_asked()).await;
        assert!(asked.is_err(), "{honoured}");
    }
}
