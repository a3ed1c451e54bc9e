//! What the end-to-end tests share: the server as a process of its own, a typed service beside it,
//! and the calls an operator makes.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use client_sdk::{Bus, ConfigClient, ConfigClientBuilder, Watch};
use contract::{AgentStatus, DeliveryReport};
use serde::Deserialize;
use tempfile::TempDir;
use test_support::{Broker, GitFixture, eventually};

/// Bounds every wait: far more than anything takes.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// What the service of these tests binds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Shop {
    pub(crate) greeting: String,
}

/// A config server in its own process. Its files outlive it, so that it can be killed and started
/// again on the same port.
#[derive(Debug)]
pub(crate) struct Server {
    process: Child,
    arguments: Vec<String>,
    port: u16,
    files: TempDir,
}

impl Server {
    /// Starts serving `repository`; further settings as `--key=value`.
    pub(crate) async fn start(repository: &str, settings: &[String]) -> Self {
        let files = TempDir::new().expect("a directory");
        let port = free_port();
        let mut arguments = vec![
            format!("--repo={repository}"),
            format!("--port={port}"),
            format!("--data-dir={}", files.path().display()),
            "--server.address=127.0.0.1".to_owned(),
        ];
        arguments.extend_from_slice(settings);
        let server = Self {
            process: launch(&arguments),
            arguments,
            port,
            files,
        };
        server.wait_until_ready().await;
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// `kill -9`: no flush, no farewell.
    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("a running server");
        self.process.wait().expect("its end");
    }

    /// Starts again on the same files and port.
    pub(crate) async fn restart(&mut self) {
        self.process = launch(&self.arguments);
        self.wait_until_ready().await;
    }

    /// Waits until `GET /shop/dev` is answered from `commit`.
    pub(crate) async fn serves(&self, commit: &str) {
        let url = format!("{}/shop/dev", self.url());
        eventually("the server serves the commit", DEADLINE, async || {
            let answer = reqwest::get(&url).await.ok()?;
            let version = answer.headers().get(contract::headers::VERSION)?;
            (version.to_str().ok()? == commit).then_some(())
        })
        .await;
    }

    /// Waits until an agent has reported.
    pub(crate) async fn knows_an_agent(&self) {
        eventually("the server knows an agent", DEADLINE, async || {
            (!self.agents().await?.is_empty()).then_some(())
        })
        .await;
    }

    /// `GET /bus/agents`.
    pub(crate) async fn agents(&self) -> Option<Vec<AgentStatus>> {
        let answer = reqwest::get(format!("{}/bus/agents", self.url())).await.ok()?;
        answer.json().await.ok()
    }

    /// Forgets what a killed server wrote down: head moves, events, agents.
    pub(crate) fn forget(&self) {
        let state = std::fs::read_dir(self.files.path())
            .expect("its files")
            .filter_map(Result::ok);
        let databases = state.map(|entry| entry.path()).filter(|path| path.is_file());
        for file in databases {
            std::fs::remove_file(file).expect("a file of state");
        }
    }

    /// `POST /bus/refresh?wait=...`.
    pub(crate) async fn refresh(&self) -> DeliveryReport {
        let url = format!("{}/bus/refresh?wait=30s", self.url());
        let answer = reqwest::Client::new().post(url).send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        answer.json().await.expect("a delivery report")
    }

    /// `GET /bus/refreshes/{id}` of the newest refresh that ends at `commit`.
    pub(crate) async fn report_on(&self, commit: &str) -> Option<DeliveryReport> {
        let url = format!("{}/bus/refreshes", self.url());
        let reports: Vec<DeliveryReport> = reqwest::get(url).await.ok()?.json().await.ok()?;
        let newest = reports.into_iter().find(|report| {
            let ends_there = report.commit.as_ref().is_some_and(|id| id.as_str() == commit);
            ends_there && report.previous.is_some()
        })?;
        let url = format!("{}/bus/refreshes/{}", self.url(), newest.id);
        reqwest::get(url).await.ok()?.json().await.ok()
    }

    async fn wait_until_ready(&self) {
        let url = format!("{}/ready", self.url());
        eventually("the server is ready", DEADLINE, async || {
            let answer = reqwest::get(&url).await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have been killed by the test already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A program of this workspace, built beside the tests.
pub(crate) fn program(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_demo")).with_file_name(name);
    assert!(
        path.exists(),
        "{name} is not built: run `cargo build --workspace` first"
    );
    path
}

pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its address").port()
}

/// A repository with one application, `shop`, and one it does not share a file with, `other`.
pub(crate) fn shop_repository() -> GitFixture {
    let repository = GitFixture::new().expect("git");
    repository.write_file("shop.yml", "greeting: hello\n").expect("a file");
    repository.write_file("other.yml", "greeting: other\n").expect("a file");
    repository.commit("first").expect("a commit");
    repository
}

pub(crate) fn greet(repository: &GitFixture, greeting: &str) -> String {
    let content = format!("greeting: {greeting}\n");
    repository.commit_file("shop.yml", content).expect("a commit")
}

/// A client of `application` that only ever hears: its timer is out of the test's reach.
pub(crate) fn client(server: &str, application: &str) -> ConfigClientBuilder {
    ConfigClient::builder()
        .server(server)
        .application(application)
        .profiles(["dev"])
        .interval(Duration::from_secs(3600))
}

/// A service that follows `shop`.
pub(crate) async fn shop(server: &str, bus: Bus) -> Watch<Shop> {
    let client = client(server, "shop").bus(bus).fail_fast(true).build().await;
    let shop = client.expect("a client").watch::<Shop>("").expect("a typed value");
    eventually("the service hears", DEADLINE, async || {
        shop.client().state().connected.then_some(())
    })
    .await;
    shop
}

pub(crate) async fn becomes(shop: &Watch<Shop>, greeting: &str) {
    eventually(greeting, DEADLINE, async || {
        (shop.get().greeting == greeting).then_some(())
    })
    .await;
}

/// Settings of a server that announces over `broker`, and the address its agents use.
pub(crate) async fn over(broker: &Broker) -> (Vec<String>, String) {
    let host = broker.virtual_host().await;
    let (address, port) = (broker.address(), broker.address().port());
    let settings = vec![
        "--spring.rabbitmq.host=127.0.0.1".to_owned(),
        format!("--spring.rabbitmq.port={port}"),
        format!("--spring.rabbitmq.virtual-host={host}"),
    ];
    (settings, format!("amqp://guest:guest@{address}/{host}"))
}

fn launch(arguments: &[String]) -> Child {
    Command::new(program("config-server"))
        .args(arguments)
        .env("RUST_LOG", "warn")
        .stdin(Stdio::null())
        .spawn()
        .expect("the config server starts")
}
