//! Processes that end because an event says so, and those that stay.

use std::process::Stdio;

use bus::testing::{SPRING, Stranger, body};
use client_sdk::Bus;
use contract::{DeliveryReport, Outcome, ServerStatus};
use examples::stage::program::program;
use serde_json::Value;
use tempfile::TempDir;
use test_support::{Broker, eventually, free_port};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::harness::{DEADLINE, Server, client, serve, shop_repository};

const EXPOSED: &str = "--management.endpoints.web.exposure.include=busshutdown";

/// A server over a virtual host of its own, where that is, and a Spring application on its bus.
async fn over_rabbitmq(repository: &test_support::GitFixture) -> (Server, String, Stranger) {
    let broker = Broker::shared().await;
    let host = broker.virtual_host().await;
    let address = broker.address();
    let mut settings = Server::over_amqp(address.port(), &host);
    settings.push(EXPOSED.to_owned());
    let server = serve(repository, &settings).await;
    hears(server.port()).await;
    let bus = format!("amqp://guest:guest@{address}/{host}");
    (server, bus, Stranger::join(address, &host).await)
}

/// Waits until the server on `port` is on the bus, and has made the exchanges.
async fn hears(port: u16) {
    let url = format!("http://127.0.0.1:{port}/bus/status");
    eventually("the server is on the bus", DEADLINE, async || {
        let status: ServerStatus = reqwest::get(&url).await.ok()?.json().await.ok()?;
        (status.bus.hearing.as_deref() == Some("connected")).then_some(())
    })
    .await;
}

async fn shut_down(server: &Server, destination: &str) {
    let url = format!("{}/actuator/busshutdown/{destination}", server.url());
    let answer = reqwest::Client::new().post(url).send().await.expect("an answer");
    assert_eq!(answer.status(), 204);
    assert_eq!(answer.text().await.expect("a body"), "");
}

/// What a Spring application says, made now.
fn springs_event(id: &str, destination: &str) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let made = now.expect("after 1970").as_millis();
    format!(
        r#"{{"type":"ShutdownRemoteApplicationEvent","timestamp":{made},"originService":"ops:8080:1","destinationService":"{destination}","id":"{id}"}}"#
    )
}

/// A sidecar of `shop`, with further flags.
struct Sidecar {
    process: Child,
    admin: u16,
    files: TempDir,
}

impl Sidecar {
    /// Starts one and waits until it hears.
    async fn start(server: &str, bus: &str, flags: &[&str]) -> Self {
        let files = TempDir::new().expect("a directory");
        let admin = free_port().expect("a port");
        let process = Command::new(program("bus-agent").expect("a program"))
            .args(["--server", server, "--application", "shop", "--profiles", "dev"])
            .args([
                "--bus",
                bus,
                "--interval",
                "1h",
                "--admin",
                &format!("127.0.0.1:{admin}"),
            ])
            .args(flags)
            .arg("--out")
            .arg(files.path().join("shop.properties"))
            .stdin(Stdio::null())
            .stderr(std::fs::File::create(files.path().join("log")).expect("a file"))
            .kill_on_drop(true)
            .spawn()
            .expect("the sidecar starts");
        let sidecar = Self { process, admin, files };
        eventually("the sidecar hears", DEADLINE, async || {
            (sidecar.health("busConnected").await? == true).then_some(())
        })
        .await;
        sidecar
    }

    async fn health(&self, member: &str) -> Option<Value> {
        let url = format!("http://127.0.0.1:{}/health", self.admin);
        let health: Value = reqwest::get(url).await.ok()?.json().await.ok()?;
        health.get(member).cloned()
    }

    fn said(&self) -> String {
        std::fs::read_to_string(self.files.path().join("log")).unwrap_or_default()
    }

    /// Its exit code, once it has ended by itself.
    async fn ended(&mut self) -> Option<i32> {
        let ended = timeout(DEADLINE, self.process.wait()).await;
        ended
            .unwrap_or_else(|_| panic!("it runs on: {}", self.said()))
            .expect("an end")
            .code()
    }

    /// Waits until it says that it ignores an event because of `reason`; it runs on.
    async fn stays(&mut self, reason: &str) {
        eventually(reason, DEADLINE, async || self.said().contains(reason).then_some(())).await;
        assert!(self.process.try_wait().expect("its state").is_none(), "{}", self.said());
    }
}

#[tokio::test]
async fn an_event_of_spring_ends_the_sidecar_that_honours_it_and_no_other() {
    let (server, bus, spring) = over_rabbitmq(&shop_repository()).await;
    let mut honouring = Sidecar::start(&server.url(), &bus, &["--shutdown-events"]).await;
    let mut other = Sidecar::start(&server.url(), &bus, &[]).await;
    server.knows_agents(2).await.expect("two agents");
    spring.say_json(&springs_event("for-stock", "stock:**")).await;
    spring.say_json(&springs_event("for-shop", "shop:dev:**")).await;
    assert_eq!(honouring.ended().await, Some(0), "{}", honouring.said());
    other.stays("shutdown events are not honoured here").await;

    let report = eventually("the farewell names the event", DEADLINE, async || {
        let report = server.get("/bus/refreshes/for-shop").await.ok()?;
        let report: DeliveryReport = report.json().await.ok()?;
        (!report.agents.is_empty()).then_some(report)
    })
    .await;
    assert!(report.is_complete() && report.agents.len() == 1, "{report:?}");
    assert_eq!(report.agents[0].outcome, Some(Outcome::Stopped));
}

#[tokio::test]
async fn an_operators_shutdown_is_springs_json_on_springs_exchange() {
    let (server, _, spring) = over_rabbitmq(&shop_repository()).await;
    let mut queue = spring.listen(&[SPRING]).await;
    shut_down(&server, "orders/dev").await;
    let heard = timeout(DEADLINE, body(&mut queue)).await.expect("an event in time");
    let event: Value = serde_json::from_slice(&heard).expect("JSON");
    let (made, id) = (&event["timestamp"], event["id"].as_str().expect("an id"));
    let origin = event["originService"].as_str().expect("an origin");
    assert!(made.is_u64() && id.len() == 36, "{event}");
    assert!(
        origin.starts_with(&format!("config-server:{}:", server.port())),
        "{origin}"
    );
    let springs = format!(
        r#"{{"type":"ShutdownRemoteApplicationEvent","timestamp":{made},"originService":"{origin}","destinationService":"orders:dev:**","id":"{id}"}}"#
    );
    assert_eq!(String::from_utf8_lossy(&heard), springs);
}

#[tokio::test]
async fn an_operators_shutdown_asks_services_on_both_buses() {
    let repository = shop_repository();
    let (server, bus, _spring) = over_rabbitmq(&repository).await;
    let honouring = |bus| client(&server.url(), "shop").bus(bus).shutdown_events(true).build();
    let over_amqp = honouring(Bus::Amqp(bus)).await.expect("a client");
    let embedded = honouring(Bus::Embedded).await.expect("a client");
    let clients = [&over_amqp, &embedded];
    for client in clients {
        eventually("the service hears", DEADLINE, async || {
            client.state().connected.then_some(())
        })
        .await;
    }
    shut_down(&server, "shop").await;
    for client in clients {
        timeout(DEADLINE, client.shutdown_asked()).await.expect("asked");
        client.close().await;
    }
}

#[tokio::test]
async fn an_event_that_the_broker_brings_late_does_not_end_the_process_that_came_after_it() {
    let repository = shop_repository();
    let broker = Broker::launch().await;
    let (mut settings, address) = Server::over(&broker).await;
    settings.push(EXPOSED.to_owned());
    let server = serve(&repository, &settings).await;
    broker.stop().await;
    shut_down(&server, "shop").await;
    let next = client(&server.url(), "shop")
        .bus(Bus::Amqp(address))
        .shutdown_events(true);
    let next = next.build().await.expect("a client");
    // What is published before its queue is there is not this client's to hear.
    server.signal("STOP").expect("it runs");
    broker.start().await;
    eventually("the service hears", DEADLINE, async || {
        next.state().connected.then_some(())
    })
    .await;
    server.signal("CONT").expect("it runs");
    eventually("the event is heard", DEADLINE, async || next.state().last_notice).await;
    assert_eq!(next.state().shutdown_asked, None);
    // The next one is for it.
    shut_down(&server, "shop").await;
    timeout(DEADLINE, next.shutdown_asked()).await.expect("asked");
}

#[tokio::test]
async fn an_event_of_spring_ends_the_server_that_obeys_it() {
    let broker = Broker::shared().await;
    let host = broker.virtual_host().await;
    let (repository, files) = (shop_repository(), TempDir::new().expect("a directory"));
    let port = free_port().expect("a port");
    let mut server = Command::new(program("config-server").expect("a program"))
        .args([
            format!("--repo={}", repository.uri()),
            format!("--port={port}"),
            format!("--data-dir={}", files.path().display()),
            "--server.address=127.0.0.1".to_owned(),
            "--spring.cloud.bus.shutdown.enabled=true".to_owned(),
        ])
        .args(Server::over_amqp(broker.address().port(), &host))
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("the server starts");
    let spring = Stranger::join(broker.address(), &host).await;
    hears(port).await;
    spring.say_json(&springs_event("for-shop", "shop:**")).await;
    spring.say_json(&springs_event("for-servers", "config-server:**")).await;
    let ended = timeout(DEADLINE, server.wait())
        .await
        .expect("it ends")
        .expect("an end");
    assert_eq!(ended.code(), Some(0));
}
