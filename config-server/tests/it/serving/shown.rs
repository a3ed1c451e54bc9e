//! `config-server status` against a running server.

use std::process::{Output, Stdio};

use config_server::settings::arguments::StatusArguments;
use config_server::settings::encrypt::Secret;
use config_server::settings::http::User;
use config_server::status::{Screen, Server, Standing, StatusError, once, watch};
use reqwest::Method;
use serde_json::json;
use tokio::process::Command;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::harness::{App, DEADLINE, answer};

fn server(url: &str) -> Server {
    let asked = StatusArguments {
        server: Some(url.to_owned()),
        ..StatusArguments::default()
    };
    Server::new(&asked, None).expect("a server")
}

/// What the program says, run by itself.
async fn program(arguments: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_config-server"));
    let program = program
        .arg("status")
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    timeout(DEADLINE, program.output())
        .await
        .expect("in time")
        .expect("it runs")
}

/// The agent `bus_id` of `orders` says how its last round ended.
async fn report(app: &App, bus_id: &str, outcome: &str) {
    let report = json!({
        "busId": bus_id, "application": "orders", "profiles": [], "outcome": outcome, "millis": 3,
        "reason": "no\u{1b}[31m room",
    });
    answer(app.request(Method::POST, "/bus/reports").json(&report)).await;
}

#[tokio::test]
async fn the_program_shows_a_server_and_ends_with_how_it_stands() {
    let app = App::start().await;
    app.get("/orders/dev").await;
    let url = format!("http://{}", app.address);
    let fine = program(&["--server", &url]).await;
    let page = String::from_utf8_lossy(&fine.stdout);
    assert_eq!(
        fine.status.code(),
        Some(0),
        "{page}{}",
        String::from_utf8_lossy(&fine.stderr)
    );
    assert!(page.contains(&app.git.head().unwrap()[..7]), "{page}");
    report(&app, "orders:1:a", "failed").await;
    let faulty = program(&["--json", "--server", &url]).await;
    assert_eq!(faulty.status.code(), Some(2));
    let status: serde_json::Value = serde_json::from_slice(&faulty.stdout).expect("JSON");
    assert_eq!(status["applications"][0]["failed"], 1, "{status}");
    app.stop().await.expect("stopped");
    let away = program(&["--server", &url]).await;
    assert_eq!(away.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&away.stderr).contains("cannot reach"),
        "{away:?}"
    );
}

#[tokio::test]
async fn watching_tells_each_change_until_it_is_enough() {
    let app = App::start().await;
    app.get("/orders/dev").await;
    let (said, mut lines) = mpsc::unbounded_channel();
    let mut out = |line: &str| {
        said.send(line.to_owned()).expect("the test reads");
        Ok(())
    };
    let changes = async {
        let first = lines.recv().await.expect("a line");
        assert_eq!(first, "no refresh yet\n");
        report(&app, "orders:1:a", "vetoed").await;
        let second = lines.recv().await.expect("a line");
        assert!(second.ends_with("1 fault\n"), "{second}");
    };
    let server = server(&format!("http://{}", app.address));
    let standing = timeout(DEADLINE, watch(&server, Screen::lines(), &mut out, changes)).await;
    assert_eq!(standing.expect("in time"), Standing::Faulty);
}

#[tokio::test]
async fn a_server_that_wants_to_know_who_asks_is_told() {
    let app = App::start_with(|settings| {
        settings.http.user = Some(User {
            name: "user".to_owned(),
            password: Secret::new("p@ss".to_owned()),
        });
    })
    .await;
    let mut ignored = |_: &str| Ok(());
    let page = || Screen::Page { coloured: false };
    let unknown = once(&server(&format!("http://{}", app.address)), page(), &mut ignored).await;
    let error = unknown.expect_err("refused");
    assert!(matches!(error, StatusError::Unknown(_)), "{error:?}");
    assert!(error.to_string().contains("--user"), "{error}");
    let known = server(&format!("http://user:p%40ss@{}", app.address));
    once(&known, page(), &mut ignored).await.expect("it answers");
}
