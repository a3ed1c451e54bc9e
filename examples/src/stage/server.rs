//! A config server in a process of its own, and what operators ask of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use contract::{AgentStatus, DeliveryReport, headers};
use reqwest::Response;
use tempfile::TempDir;
use test_support::{Broker, Group, free_port, within};

use super::DEADLINE;
use super::program::program;

/// A server that is stopped or cut off does not hold up whoever asks it.
const PATIENCE: Duration = Duration::from_secs(40);

/// A config server. Its files outlive it, so that it can be killed and started again on the same
/// port.
#[derive(Debug)]
pub struct Server {
    process: Option<Group>,
    arguments: Vec<String>,
    port: u16,
    files: TempDir,
    http: reqwest::Client,
}

impl Server {
    /// Starts serving `repository`; further settings as `--key=value`.
    ///
    /// # Errors
    /// When it is not ready in time.
    pub async fn start(repository: &str, settings: &[String]) -> Result<Self> {
        let files = TempDir::new().context("a directory")?;
        let port = free_port()?;
        let mut arguments = vec![
            format!("--repo={repository}"),
            format!("--port={port}"),
            "--server.address=127.0.0.1".to_owned(),
        ];
        if !settings.iter().any(|setting| setting.starts_with("--data-dir=")) {
            arguments.push(format!("--data-dir={}", files.path().display()));
        }
        arguments.extend_from_slice(settings);
        let mut server = Self {
            process: None,
            arguments,
            port,
            files,
            http: reqwest::Client::builder().timeout(PATIENCE).build()?,
        };
        server.restart().await?;
        Ok(server)
    }

    /// Settings of a server that announces over the virtual host of a broker on `port`.
    #[must_use]
    pub fn over_amqp(port: u16, virtual_host: &str) -> Vec<String> {
        vec![
            "--spring.rabbitmq.host=127.0.0.1".to_owned(),
            format!("--spring.rabbitmq.port={port}"),
            format!("--spring.rabbitmq.virtual-host={virtual_host}"),
        ]
    }

    /// Settings of a server that announces over `broker`, and the address its agents use.
    pub async fn over(broker: &Broker) -> (Vec<String>, String) {
        let host = broker.virtual_host().await;
        let address = broker.address();
        let settings = Self::over_amqp(address.port(), &host);
        (settings, format!("amqp://guest:guest@{address}/{host}"))
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The port of [`Server::url`].
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where its files are, unless a setting says otherwise.
    #[must_use]
    pub fn files(&self) -> &Path {
        self.files.path()
    }

    /// What it said so far.
    #[must_use]
    pub fn said(&self) -> String {
        fs::read_to_string(self.log()).unwrap_or_default()
    }

    /// `kill -9`: no flush, no farewell.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Starts again on the same files and port.
    ///
    /// # Errors
    /// When it is not ready in time.
    pub async fn restart(&mut self) -> Result<()> {
        self.launch()?;
        let ready = within("the server is ready", DEADLINE, async || {
            let answer = self.get("/ready").await.ok()?;
            answer.status().is_success().then_some(())
        });
        ready.await.with_context(|| self.said())
    }

    /// Stops its process, or lets it go on: `STOP`, `CONT`.
    ///
    /// # Errors
    /// When it does not run.
    pub fn signal(&self, name: &str) -> Result<()> {
        let process = self.process.as_ref().context("the server does not run")?;
        process.signal(name).context("the server is gone")
    }

    /// Forgets what a killed server wrote down: head moves, events, agents.
    ///
    /// # Errors
    /// When the files cannot be removed.
    pub fn forget(&self) -> Result<()> {
        for entry in fs::read_dir(self.files.path())? {
            let path = entry?.path();
            if path.is_file() && path != self.log() {
                fs::remove_file(path).context("a file of state")?;
            }
        }
        Ok(())
    }

    /// Waits until `GET /shop/dev` is answered from `commit`.
    ///
    /// # Errors
    /// When it is not in time.
    pub async fn serves(&self, commit: &str) -> Result<()> {
        within("the server serves the commit", DEADLINE, async || {
            (self.header(headers::VERSION).await? == commit).then_some(())
        })
        .await
    }

    /// A header of the answer to `GET /shop/dev`.
    pub async fn header(&self, name: &str) -> Option<String> {
        let answer = self.get("/shop/dev").await.ok()?;
        Some(answer.headers().get(name)?.to_str().ok()?.to_owned())
    }

    /// The value of a metric without labels.
    pub async fn metric(&self, name: &str) -> Option<f64> {
        let text = self.get("/actuator/prometheus").await.ok()?.text().await.ok()?;
        let value = |line: &str| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok();
        text.lines().find_map(value)
    }

    /// `GET /bus/agents`.
    pub async fn agents(&self) -> Option<Vec<AgentStatus>> {
        self.get("/bus/agents").await.ok()?.json().await.ok()
    }

    /// Waits until an agent has reported.
    ///
    /// # Errors
    /// When none has in time.
    pub async fn knows_agents(&self, count: usize) -> Result<()> {
        within("the server knows its agents", DEADLINE, async || {
            (self.agents().await?.len() >= count).then_some(())
        })
        .await
    }

    /// `POST /bus/refresh?wait=...`.
    ///
    /// # Errors
    /// When the answer is no delivery report.
    pub async fn refresh(&self) -> Result<DeliveryReport> {
        let url = format!("{}/bus/refresh?wait=30s", self.url());
        let answer = self.http.post(url).send().await?;
        ensure!(answer.status() == 200, "a refresh was answered {}", answer.status());
        Ok(answer.json().await?)
    }

    /// `GET /bus/refreshes/{id}` of the newest refresh that ends at `commit`.
    pub async fn report_on(&self, commit: &str) -> Option<DeliveryReport> {
        let reports: Vec<DeliveryReport> = self.get("/bus/refreshes").await.ok()?.json().await.ok()?;
        let newest = reports.into_iter().find(|report| {
            let ends_there = report.commit.as_ref().is_some_and(|id| id.as_str() == commit);
            ends_there && report.previous.is_some()
        })?;
        let path = format!("/bus/refreshes/{}", newest.id);
        self.get(&path).await.ok()?.json().await.ok()
    }

    /// Asks for `path`.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn get(&self, path: &str) -> Result<Response> {
        Ok(self.http.get(format!("{}{path}", self.url())).send().await?)
    }

    fn launch(&mut self) -> Result<()> {
        let mut command = Command::new(program("config-server")?);
        command
            .args(&self.arguments)
            .env("RUST_LOG", "info,config_server::git=debug");
        self.process = Some(Group::spawn_logged(&command, &self.log()).context("the config server starts")?);
        Ok(())
    }

    fn log(&self) -> PathBuf {
        self.files.path().join("server.log")
    }
}
