use std::fs;
use std::time::Duration;

use bus_agent::fetch::FetchErrorKind;
use bus_agent::testing::{Fault, Origin};
use bus_agent::{LiveSource, Login, StartError, Veto};
use serde_json::json;
use test_support::eventually;
use tokio::net::TcpListener;

use super::{Application, Running};

/// The address of a server that is not there.
async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    format!("http://{}", listener.local_addr().expect("an address"))
}

fn kind(error: &StartError) -> Option<FetchErrorKind> {
    match error {
        StartError::Fetch(error) => Some(error.kind()),
        _ => None,
    }
}

#[tokio::test]
async fn the_second_server_is_asked_when_the_first_is_away() {
    let origin = Origin::serving(json!({"x": 1})).await;
    let running = Running::try_start(
        &nobody().await,
        |agent| agent.server(origin.url()),
        Application::default(),
    )
    .await;
    assert_eq!(running.expect("started").value("x").as_deref(), Some("1"));
}

#[tokio::test]
async fn failing_fast_ends_the_start_when_no_server_answers_in_time() {
    let set = |agent: bus_agent::AgentBuilder| agent.fail_fast(true).start_timeout(Duration::from_millis(300));
    let error = Running::try_start(&nobody().await, set, Application::default())
        .await
        .map(|_| ())
        .expect_err("nobody");
    assert_eq!(kind(&error), Some(FetchErrorKind::Unreachable));
    assert!(error.is_retryable());
}

#[tokio::test]
async fn a_token_that_no_header_can_hold_fails_the_start_without_being_shown() {
    let set = |agent: bus_agent::AgentBuilder| agent.login(Login::bearer("s3cret\u{7}token"));
    let error = Running::try_start(&nobody().await, set, Application::default())
        .await
        .map(|_| ())
        .expect_err("no header");
    assert!(matches!(error, StartError::Client(_)), "{error:?}");
    assert!(!format!("{error:?}").contains("s3cret"));
}

#[test]
fn what_is_printed_for_debugging_holds_no_password() {
    let agent = bus_agent::Agent::builder()
        .server("http://me:s3cret@host:8888")
        .login(Login::basic("me", "s3cret"))
        .identity("s3cret key")
        .variables([("PASSWORD".to_owned(), "s3cret".to_owned())])
        .bus(bus_agent::Bus::amqp("amqp://me:s3cret@broker").expect("an address"));
    let printed = format!("{agent:?}");
    assert!(printed.contains("broker") && !printed.contains("s3cret"), "{printed}");
}

#[tokio::test]
async fn failing_fast_ends_the_start_at_once_when_asking_again_cannot_help() {
    let origin = Origin::serving(json!({"x": 1})).await;
    for (status, expected) in [(401, FetchErrorKind::Forbidden), (404, FetchErrorKind::NotFound)] {
        origin.broken(Some(Fault::Status(status, vec![], String::new())));
        let before = origin.asked().len();
        let started = Running::try_start(origin.url(), |agent| agent.fail_fast(true), Application::default()).await;
        let error = started.map(|_| ()).expect_err("refused");
        assert_eq!(kind(&error), Some(expected), "{status}");
        assert!(!error.is_retryable());
        assert_eq!(origin.asked().len(), before + 1);
    }
}

#[tokio::test]
async fn failing_fast_rides_over_a_server_that_comes_up_late() {
    let origin = Origin::serving(json!({"x": 1})).await;
    origin.fail_next(Fault::Status(503, vec![], String::new()));
    origin.fail_next(Fault::Status(500, vec![], String::new()));
    let running = Running::start(&origin, |agent| agent.fail_fast(true)).await;
    assert_eq!(running.value("x").as_deref(), Some("1"));
}

#[tokio::test]
async fn a_restart_while_the_server_is_away_starts_from_the_last_known_good() {
    let origin = Origin::serving(json!({"x": 1})).await;
    let directory = tempfile::tempdir().expect("a directory");
    let first = Running::start(&origin, |agent| agent.last_known_good(directory.path())).await;
    first.stop.cancel();
    first.tracker.close();
    first.tracker.wait().await;

    origin.broken(Some(Fault::Status(500, vec![], String::new())));
    let second = Running::start(&origin, |agent| agent.last_known_good(directory.path())).await;
    assert_eq!(second.value("x").as_deref(), Some("1"));
    let state = second.until(|state| state.live.is_some()).await;
    assert_eq!(
        state.live.as_ref().map(|live| live.source),
        Some(LiveSource::LastKnownGood)
    );
    assert!(state.age(std::time::SystemTime::now()).is_some());

    origin.broken(None);
    origin.commit(json!({"x": 2}));
    let state = second.until(|state| state.applied_total == 2).await;
    assert_eq!(state.live.map(|live| live.source), Some(LiveSource::Server));
    assert_eq!(second.value("x").as_deref(), Some("2"));
    let last = origin.asked().pop().expect("asked");
    assert_eq!(last.if_none_match.as_deref(), Some("\"content-1\""));
}

#[tokio::test]
async fn what_came_from_memory_is_the_servers_once_the_server_says_so() {
    let origin = Origin::serving(json!({"x": 1})).await;
    let directory = tempfile::tempdir().expect("a directory");
    drop(Running::start(&origin, |agent| agent.last_known_good(directory.path())).await);
    origin.broken(Some(Fault::Status(500, vec![], String::new())));
    let again = Running::start(&origin, |agent| agent.last_known_good(directory.path())).await;
    let source = || again.agent.state().borrow().live.as_ref().map(|live| live.source);
    assert_eq!(source(), Some(LiveSource::LastKnownGood));
    origin.broken(None);
    again.agent.refresh();
    eventually!(Duration::from_secs(10), source() == Some(LiveSource::Server));
}

#[tokio::test]
async fn a_server_that_hangs_at_the_start_does_not_hold_up_the_last_known_good() {
    let origin = Origin::serving(json!({"x": 1})).await;
    let directory = tempfile::tempdir().expect("a directory");
    drop(Running::start(&origin, |agent| agent.last_known_good(directory.path())).await);
    origin.broken(Some(Fault::Hang));
    let set = |agent: bus_agent::AgentBuilder| {
        agent
            .last_known_good(directory.path())
            .start_timeout(Duration::from_millis(200))
    };
    let running = Running::start(&origin, set).await;
    assert_eq!(running.value("x").as_deref(), Some("1"));
}

#[tokio::test]
async fn a_damaged_memory_is_not_used() {
    let origin = Origin::serving(json!({"x": 1})).await;
    let directory = tempfile::tempdir().expect("a directory");
    drop(Running::start(&origin, |agent| agent.last_known_good(directory.path())).await);
    for entry in fs::read_dir(directory.path()).expect("listed") {
        fs::write(entry.expect("an entry").path(), "damaged").expect("written");
    }
    origin.broken(Some(Fault::Status(500, vec![], String::new())));
    let set = |agent: bus_agent::AgentBuilder| {
        agent
            .last_known_good(directory.path())
            .start_timeout(Duration::from_millis(200))
    };
    let running = Running::start(&origin, set).await;
    assert_eq!(running.value("x"), None);
    let state = running.until(|state| state.live.is_some()).await;
    assert_eq!(state.live.map(|live| live.source), Some(LiveSource::Local));
    origin.broken(None);
    running.until(|state| state.applied_total == 2).await;
    assert_eq!(running.value("x").as_deref(), Some("1"));
}

#[tokio::test]
async fn an_application_that_refuses_the_first_configuration_does_not_start() {
    let origin = Origin::serving(json!({"x": 1})).await;
    let application = Application::default();
    application.refuse_next(Veto::refused("no"));
    let started = Running::try_start(origin.url(), |agent| agent.fail_fast(true), application).await;
    assert!(matches!(started.map(|_| ()), Err(StartError::Refused(_))));
}

#[tokio::test]
async fn who_asks_is_shown_to_the_server_and_not_in_messages() {
    let origin = Origin::serving(json!({"x": 1})).await;
    Running::start(&origin, |agent| agent.login(Login::basic("me", "s3cret"))).await;
    assert_eq!(origin.asked()[0].authorization.as_deref(), Some("Basic bWU6czNjcmV0"));
    Running::start(&origin, |agent| agent.login(Login::bearer("t0ken"))).await;
    assert_eq!(
        origin.asked().pop().and_then(|asked| asked.authorization).as_deref(),
        Some("Bearer t0ken")
    );

    let within = origin.url().replace("http://", "http://me:s3cret@");
    origin.broken(Some(Fault::Status(500, vec![], String::new())));
    let set = |agent: bus_agent::AgentBuilder| agent.fail_fast(true).start_timeout(Duration::from_millis(200));
    let error = Running::try_start(&within, set, Application::default())
        .await
        .map(|_| ())
        .expect_err("broken");
    assert_eq!(
        origin.asked().pop().and_then(|asked| asked.authorization).as_deref(),
        Some("Basic bWU6czNjcmV0")
    );
    assert!(!format!("{error:?} {error}").contains("s3cret"), "{error:?}");
}

#[tokio::test]
async fn an_answer_that_is_no_configuration_or_too_large_is_refused_by_name() {
    let origin = Origin::serving(json!({"x": "long".repeat(1_000)})).await;
    let set = |agent: bus_agent::AgentBuilder| agent.fail_fast(true).largest_answer(1_000);
    let error = Running::try_start(origin.url(), set, Application::default())
        .await
        .map(|_| ())
        .expect_err("large");
    let StartError::Fetch(error) = error else {
        panic!("{error:?}")
    };
    assert!(error.to_string().contains("more than 1000 bytes"), "{error}");

    origin.broken(Some(Fault::Garbage(
        r#"{"name": "s3cret", "propertySources": 5}"#.to_owned(),
    )));
    let started = Running::try_start(origin.url(), |agent| agent.fail_fast(true), Application::default()).await;
    let error = started.map(|_| ()).expect_err("garbage");
    let StartError::Fetch(error) = error else {
        panic!("{error:?}")
    };
    assert!(error.to_string().contains("no configuration"), "{error}");
    assert!(!error.to_string().contains("s3cret"), "{error}");
}

#[tokio::test]
async fn an_address_that_is_no_url_is_refused_without_repeating_it() {
    for url in ["not a url s3cret", "ftp://s3cret@host", "http://"] {
        let started = Running::try_start(url, |agent| agent, Application::default()).await;
        let error = started.map(|_| ()).expect_err("no url");
        assert!(matches!(error, StartError::ServerUrl { position: 1 }), "{error:?}");
        assert!(!error.to_string().contains("s3cret"));
    }
}

#[tokio::test]
async fn what_could_not_be_remembered_is_told_and_written_once_it_can_be() {
    let origin = Origin::serving(json!({"x": 1})).await;
    let directory = tempfile::tempdir().expect("a directory");
    let memory = directory.path().join("memory");
    fs::write(&memory, "in the way").expect("written");
    let running = Running::start(&origin, |agent| agent.last_known_good(&memory)).await;
    let state = running.until(|state| state.unremembered.is_some()).await;
    let told = state.unremembered.expect("a problem").text;
    assert!(told.contains("cannot write the last known good"), "{told}");

    fs::remove_file(&memory).expect("removed");
    running.until(|state| state.unremembered.is_none()).await;
    assert_eq!(fs::read_dir(&memory).expect("a directory").count(), 1);
}
