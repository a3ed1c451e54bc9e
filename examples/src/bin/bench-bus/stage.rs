//! A repository, the server over it, and the calls of an operator.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use anyhow::{Result, ensure};
use contract::DeliveryReport;
use examples::ServerProcess;
use test_support::GitFixture;

use super::DEADLINE;

/// A repository and its server.
#[derive(Debug)]
pub(crate) struct Stage {
    repository: GitFixture,
    server: ServerProcess,
    client: reqwest::Client,
    /// Requests that were made here.
    own: AtomicUsize,
}

impl Stage {
    pub(crate) fn open(settings: &[&str]) -> Result<Self> {
        let repository = GitFixture::new()?;
        repository.write_file("bench.yml", "round: 0\n")?;
        repository.commit("Begin")?;
        let uri = format!("--spring.cloud.config.server.git.uri={}", repository.uri());
        let data = format!("--config-bus.data-dir={}", repository.root().join("data").display());
        // The call alone makes it look, as a webhook would.
        let own = [
            "config",
            &uri,
            &data,
            "--spring.cloud.config.server.git.refresh-rate=-1",
        ];
        let exposed = "--management.endpoints.web.exposure.include=health,prometheus";
        let arguments = own.into_iter().chain([exposed]).chain(settings.iter().copied());
        Ok(Self {
            server: ServerProcess::start(arguments)?,
            repository,
            client: reqwest::Client::new(),
            own: AtomicUsize::new(0),
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.server.address)
    }

    /// Commits what makes `round` the current one; the moment it was there.
    pub(crate) fn commit(&self, round: usize) -> Result<SystemTime> {
        self.repository.commit_file("bench.yml", format!("round: {round}\n"))?;
        Ok(SystemTime::now())
    }

    /// Calls for a refresh; answers once all agents have reported.
    pub(crate) async fn announce(&self) -> Result<()> {
        let report = self.refresh(DEADLINE).await?;
        ensure!(
            report.is_complete(),
            "not all have reported on {}: {:?}",
            report.id,
            report.summary
        );
        Ok(())
    }

    /// Requests from others that the server has answered.
    pub(crate) async fn requests(&self) -> Result<usize> {
        let own = self.own.fetch_add(1, Ordering::Relaxed);
        let url = format!("{}/actuator/prometheus", self.url());
        let text = self.client.get(url).send().await?.error_for_status()?.text().await?;
        let counts = text
            .lines()
            .filter(|line| line.starts_with("http_server_requests_seconds_count"));
        let counts = counts.map(|line| line.rsplit(' ').next().unwrap_or_default().parse::<f64>());
        let all = counts.sum::<Result<f64, _>>()?;
        Ok(all as usize - own)
    }

    /// Requests that follow on a commit which touches somebody else, until long after.
    pub(crate) async fn requests_for_others(&self) -> Result<usize> {
        let before = self.requests().await?;
        self.repository.commit_file("somebody-else.yml", "x: 1\n")?;
        self.refresh(Duration::from_secs(2)).await?;
        Ok(self.requests().await? - before)
    }

    pub(crate) fn memory_kilobytes(&self) -> Result<u64> {
        self.server.memory_kilobytes()
    }

    async fn refresh(&self, wait: Duration) -> Result<DeliveryReport> {
        self.own.fetch_add(1, Ordering::Relaxed);
        let url = format!("{}/bus/refresh?wait={}s", self.url(), wait.as_secs());
        Ok(self.client.post(url).send().await?.error_for_status()?.json().await?)
    }
}
