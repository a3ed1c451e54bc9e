use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use bus_agent::sidecar::settings::{RawSettings, resolve};
use bus_agent::sidecar::{self, SidecarError};
use bus_agent::testing::{Fault, Origin};
use serde_json::json;
use test_support::eventually;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const PATIENCE: Duration = Duration::from_secs(10);

/// A sidecar that runs, until it is dropped.
struct Sidecar {
    refresh: mpsc::Sender<()>,
    ended: tokio::task::JoinHandle<Result<(), SidecarError>>,
    stop: CancellationToken,
}

impl Sidecar {
    fn start(said: &str) -> Self {
        let raw = RawSettings::from_yaml(said).expect("valid YAML");
        let settings = resolve(&raw, |path| fs::read(path), []).expect("settings");
        let (refresh, refreshes) = mpsc::channel(1);
        let stop = CancellationToken::new();
        let ended = TaskTracker::new().spawn(sidecar::run(settings, refreshes, stop.clone()));
        Self { refresh, ended, stop }
    }

    async fn look(&self) {
        self.refresh.send(()).await.expect("the sidecar runs");
    }

    async fn end(self) -> Result<(), SidecarError> {
        timeout(PATIENCE, self.ended)
            .await
            .expect("ended in time")
            .expect("no panic")
    }
}

/// Waits until the file at `path` holds what `wanted` accepts.
async fn until(path: &Path, wanted: impl Fn(&str) -> bool) -> String {
    let what = format!("{} holds what is wanted", path.display());
    eventually(&what, PATIENCE, async || {
        fs::read_to_string(path).ok().filter(|text| wanted(text))
    })
    .await
}

fn said(origin: &Origin, out: &Path, more: &str) -> String {
    format!(
        "servers: ['{}']\napplication: orders\nbus: none\nout: {}\n{more}",
        origin.url(),
        out.display()
    )
}

#[tokio::test]
async fn a_file_is_written_and_the_command_runs_when_its_bytes_change_and_only_then() {
    let origin = Origin::serving(json!({"server.port": 1})).await;
    let directory = tempfile::tempdir().expect("a directory");
    let out = directory.path().join("app.yml");
    let ran = directory.path().join("ran");
    let run = format!("run: 'echo \"$CONFIG_BUS_VERSION\" >> {}'\n", ran.display());
    let sidecar = Sidecar::start(&said(&origin, &out, &run));
    assert_eq!(until(&out, |_| true).await, "server:\n  port: 1\n");
    assert_eq!(fs::metadata(&out).expect("there").permissions().mode() & 0o777, 0o600);
    until(&ran, |text| text.lines().count() == 1).await;

    origin.commit(json!({"server.port": 1}));
    sidecar.look().await;
    origin.commit(json!({"server.port": 2}));
    sidecar.look().await;
    until(&out, |text| text == "server:\n  port: 2\n").await;
    let text = until(&ran, |text| text.lines().count() == 2).await;
    assert!(text.ends_with("3\n"), "{text}");
    sidecar.stop.cancel();
    sidecar.end().await.expect("stopped");
    assert_eq!(fs::read_to_string(&ran).expect("read").lines().count(), 2);
}

#[tokio::test]
async fn a_command_that_fails_keeps_the_file_and_is_run_again() {
    let origin = Origin::serving(json!({"x": 1})).await;
    let directory = tempfile::tempdir().expect("a directory");
    let (out, flag, ran) = (
        directory.path().join("app.env"),
        directory.path().join("flag"),
        directory.path().join("ran"),
    );
    let run = format!("run: 'echo run >> {}; test -e {}'\n", ran.display(), flag.display());
    let sidecar = Sidecar::start(&said(&origin, &out, &run));
    until(&ran, |text| text.lines().count() >= 2).await;
    assert_eq!(fs::read_to_string(&out).expect("kept"), "X=1\n");
    fs::write(&flag, "").expect("written");
    let runs = || fs::read_to_string(&ran).expect("read").lines().count();
    let before = runs();
    until(&ran, |text| text.lines().count() > before).await;
    sidecar.stop.cancel();
    sidecar.end().await.expect("stopped");
}

#[tokio::test]
async fn a_command_that_was_not_run_before_the_sidecar_ended_is_run_by_the_next_one() {
    let origin = Origin::serving(json!({"x": 1})).await;
    let directory = tempfile::tempdir().expect("a directory");
    let (out, tried, ran) = (
        directory.path().join("app.env"),
        directory.path().join("tried"),
        directory.path().join("ran"),
    );
    let failing = said(
        &origin,
        &out,
        &format!("run: 'echo run >> {}; false'\n", tried.display()),
    );
    let first = Sidecar::start(&failing);
    until(&tried, |_| true).await;
    first.ended.abort();
    drop(first);

    let working = said(&origin, &out, &format!("run: 'echo run >> {}'\n", ran.display()));
    let second = Sidecar::start(&working);
    until(&ran, |_| true).await;
    second.stop.cancel();
    second.end().await.expect("stopped");
    let third = Sidecar::start(&format!("{working}once: true\n"));
    third.end().await.expect("written once");
    assert_eq!(fs::read_to_string(&ran).expect("read"), "run\n", "a debt is paid once");
}

#[tokio::test]
async fn a_server_that_is_away_leaves_the_file_as_it_is_until_it_is_back() {
    let origin = Origin::serving(json!({"x": 1})).await;
    origin.broken(Some(Fault::Status(500, vec![], String::new())));
    let directory = tempfile::tempdir().expect("a directory");
    let out = directory.path().join("app.json");
    fs::write(&out, "what was there").expect("written");
    let sidecar = Sidecar::start(&said(&origin, &out, "start-timeout: 50ms\n"));
    eventually!(PATIENCE, origin.asked().len() >= 3);
    assert_eq!(fs::read_to_string(&out).expect("read"), "what was there");
    origin.broken(None);
    sidecar.look().await;
    until(&out, |text| text == "{\n  \"x\": 1\n}\n").await;
}

#[tokio::test]
async fn the_admin_port_tells_readiness_health_and_metrics() {
    let free = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = free.local_addr().expect("an address");
    drop(free);
    let origin = Origin::serving(json!({"x": 1})).await;
    origin.broken(Some(Fault::Status(500, vec![], String::new())));
    let directory = tempfile::tempdir().expect("a directory");
    let out = directory.path().join("app.properties");
    let sidecar = Sidecar::start(&said(&origin, &out, &format!("admin: {address}\n")));
    let get = |path: &'static str| async move {
        eventually("the admin port answers", PATIENCE, async || {
            let response = reqwest::get(format!("http://{address}{path}")).await.ok()?;
            Some((response.status().as_u16(), response.text().await.ok()?))
        })
        .await
    };
    assert_eq!(get("/ready").await.0, 503);
    assert_eq!(get("/health").await.0, 503);
    assert_eq!(get("/live").await.0, 200);
    origin.broken(None);
    sidecar.look().await;
    until(&out, |text| text == "x=1\n").await;
    eventually!(PATIENCE, get("/ready").await.0 == 200);
    let (status, health) = get("/health").await;
    assert_eq!(status, 200);
    assert!(
        health.contains(r#""status":"UP""#) && health.contains(r#""source":"server""#),
        "{health}"
    );
    let (_, metrics) = get("/metrics").await;
    for name in [
        "bus_connected 0",
        "client_applied_total 1",
        "client_staleness_seconds",
        "client_applied_info",
    ] {
        assert!(metrics.contains(name), "{name} in {metrics}");
    }
    sidecar.stop.cancel();
    sidecar.end().await.expect("stopped");
}

fn program() -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_bus-agent"));
    program.stdin(Stdio::null()).kill_on_drop(true);
    program
}

#[tokio::test]
async fn the_program_writes_once_and_ends_well() {
    let origin = Origin::serving(json!({"x": "${HOME_OF_TEST:none}"})).await;
    let directory = tempfile::tempdir().expect("a directory");
    let out = directory.path().join("app.properties");
    let output = program()
        .args(["--once", "--application", "orders", "--profiles", "dev,eu"])
        .arg("--out")
        .arg(&out)
        .env("CONFIG_BUS_SERVER", origin.url())
        .env("HOME_OF_TEST", "set")
        .output();
    let output = timeout(PATIENCE, output)
        .await
        .expect("ended in time")
        .expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs::read_to_string(&out).expect("written"), "x=set\n");
    assert_eq!(origin.asked()[0].path, "/orders/dev,eu");
}

#[tokio::test]
async fn the_program_says_what_is_wrong_and_ends_with_its_code() {
    let output = program().arg("--once").output().await.expect("it runs");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(64), "{text}");
    assert!(
        text.contains("server: is missing") && text.contains("out: is missing"),
        "{text}"
    );

    let origin = Origin::serving(json!({})).await;
    origin.broken(Some(Fault::Status(401, vec![], String::new())));
    let output = program()
        .args([
            "--once",
            "--application",
            "orders",
            "--out",
            "/nowhere/x.yml",
            "--server",
            origin.url(),
        ])
        .output();
    let output = timeout(PATIENCE, output)
        .await
        .expect("ended in time")
        .expect("it runs");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("answered 401"), "{text}");
}
