//! The whole server on a free port, over a repository of its own.

use std::net::SocketAddr;
use std::time::Duration;

use config_server::app::{self, StartError};
use config_server::settings::{Backend, Settings};
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use tempfile::TempDir;
use test_support::GitFixture;
use test_support::git::GitDaemon;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(super) const DEADLINE: Duration = Duration::from_secs(30);

/// A running server. The remote is not a local directory, which would be watched: nothing moves
/// unless it is asked to.
pub(super) struct App {
    pub(super) git: GitFixture,
    pub(super) client: Client,
    pub(super) address: SocketAddr,
    scheme: &'static str,
    stop: CancellationToken,
    server: JoinHandle<Result<(), StartError>>,
    daemon: GitDaemon,
    pub(super) kept: TempDir,
}

/// What was answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl App {
    pub(super) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// With settings other than the usual ones.
    pub(super) async fn start_with(change: impl FnOnce(&mut Settings)) -> Self {
        let git = GitFixture::new().unwrap();
        git.write_file("application.yml", "shared: 1\n").unwrap();
        git.write_file("orders.yml", "a: 1\n").unwrap();
        git.write_file("notes.txt", "a is ${a}\n").unwrap();
        git.commit("first").unwrap();
        let daemon = GitDaemon::start(&git).unwrap();
        let kept = TempDir::new().unwrap();
        let mut settings = Settings::for_testing(&daemon.uri()).kept_in(kept.path());
        change(&mut settings);
        let scheme = if settings.http.tls.is_some() { "https" } else { "http" };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let server = TaskTracker::new().spawn(app::run(listener, settings, stop.clone()));
        let client = Client::builder().no_proxy().tls_danger_accept_invalid_certs(true);
        Self {
            git,
            client: client.timeout(DEADLINE).build().unwrap(),
            address,
            scheme,
            stop,
            server,
            daemon,
            kept,
        }
    }

    /// The address the server reads the repository from.
    pub(super) fn repository(&self) -> String {
        self.daemon.uri()
    }

    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}://{}{path}", self.scheme, self.address);
        self.client.request(method, url)
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        answer(self.request(Method::GET, path)).await
    }

    pub(super) async fn get_with(&self, path: &str, name: &str, value: &str) -> Answer {
        answer(self.request(Method::GET, path).header(name, value)).await
    }

    /// Has the server look at the remote.
    pub(super) async fn refresh(&self) {
        let refreshed = answer(self.request(Method::POST, "/bus/refresh")).await;
        assert_eq!(refreshed.status, StatusCode::ACCEPTED, "{}", refreshed.body);
    }

    /// Stops the server; it ends in good order.
    pub(super) async fn stop(self) -> Result<(), StartError> {
        self.stop.cancel();
        timeout(DEADLINE, self.server)
            .await
            .expect("in time")
            .expect("no panic")
    }

    pub(super) fn begin_stop(&self) {
        self.stop.cancel();
    }

    pub(super) async fn ended(self) -> Result<(), StartError> {
        timeout(DEADLINE, self.server)
            .await
            .expect("in time")
            .expect("no panic")
    }
}

impl Answer {
    #[track_caller]
    pub(super) fn header(&self, name: &str) -> &str {
        let value = self
            .headers
            .get(name)
            .unwrap_or_else(|| panic!("no `{name}` in {self:?}"));
        value.to_str().unwrap()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }
}

pub(super) async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.expect("an answer");
    Answer {
        status: response.status(),
        headers: response.headers().clone(),
        body: response.text().await.expect("a body"),
    }
}

/// The git settings of a server with one repository.
pub(super) fn gated(settings: &mut Settings, gate: config_server::settings::serving::Gate) {
    settings.serving.gate = gate;
    if let Backend::Git(git) = &mut settings.backend {
        git.try_master_branch = false;
    }
}
