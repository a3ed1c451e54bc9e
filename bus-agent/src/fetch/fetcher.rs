//! The HTTP client.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use contract::{AtLeast, Environment, headers};
use reqwest::header::{ACCEPT, ETAG, HeaderMap, IF_NONE_MATCH, RETRY_AFTER};
use reqwest::{Certificate, Client, Identity, Response, StatusCode};
use url::Url;

use super::answer::{header, standing};
use super::{Answer, ClientError, FetchError, Fetched, Login};
use crate::follows::Follows;
use crate::reconcile::Ask;

/// How long a connection is kept for the next request. Less than the time between two looks without
/// a cause: a server that many agents follow holds one connection for each, not two.
const IDLE: Duration = Duration::from_secs(30);
/// Most of what a server says about a failure that is repeated.
const LONGEST_DETAIL: usize = 300;

/// Which servers, and how they are asked.
#[derive(Clone)]
#[non_exhaustive]
pub struct FetchSettings {
    /// Base URLs; the first that answers is kept until it fails.
    pub servers: Vec<Url>,
    /// Who asks; a user and password within a server's URL serve as well.
    pub login: Option<Login>,
    /// For a connection; 5 s.
    pub connect_timeout: Duration,
    /// For a whole answer; 30 s.
    pub timeout: Duration,
    /// Largest answer in bytes, unpacked; 32 MiB.
    pub largest: usize,
    /// Certificates (PEM) to trust beside those of the machine.
    pub authorities: Vec<Vec<u8>>,
    /// Certificate and key (PEM) to show to the server.
    pub identity: Option<Vec<u8>>,
}

/// Asks one server after the other. One pass a call: when to ask again is the reconciler's choice.
#[derive(Debug)]
pub struct Fetcher {
    settings: FetchSettings,
    http: Client,
    current: AtomicUsize,
}

impl FetchSettings {
    /// Asks `servers` with the usual times and limits.
    #[must_use]
    pub fn new(servers: Vec<Url>) -> Self {
        Self {
            servers,
            login: None,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
            largest: 32 << 20,
            authorities: Vec::new(),
            identity: None,
        }
    }
}

/// Servers by scheme, host and port: their URLs may hold a password, an identity holds a key.
impl fmt::Debug for FetchSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let servers: Vec<_> = self
            .servers
            .iter()
            .map(|url| url.origin().ascii_serialization())
            .collect();
        f.debug_struct("FetchSettings")
            .field("servers", &servers)
            .field("login", &self.login)
            .finish_non_exhaustive()
    }
}

impl Fetcher {
    /// Prepares a client; connects nowhere yet.
    ///
    /// # Errors
    /// [`ClientError`] when a certificate or key is not readable as PEM, or the token fits in no header.
    pub fn new(settings: FetchSettings) -> Result<Self, ClientError> {
        let mut authorities = Vec::new();
        for bundle in &settings.authorities {
            let certificates = Certificate::from_pem_bundle(bundle).map_err(ClientError::unreadable)?;
            if certificates.is_empty() {
                return Err(ClientError::NoCertificate);
            }
            authorities.extend(certificates);
        }
        let mut http = Client::builder()
            .user_agent(concat!("config-bus-agent/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(settings.connect_timeout)
            .pool_idle_timeout(IDLE);
        if let Some(login) = &settings.login {
            http = http.default_headers(login.headers()?);
        }
        if !authorities.is_empty() {
            http = http.tls_certs_merge(authorities);
        }
        if let Some(pem) = &settings.identity {
            http = http.identity(Identity::from_pem(pem).map_err(ClientError::unreadable)?);
        }
        Ok(Self {
            http: http.build().map_err(ClientError::unreadable)?,
            settings,
            current: AtomicUsize::new(0),
        })
    }

    /// The client, for others who talk to the same servers.
    pub(crate) fn http(&self) -> &Client {
        &self.http
    }

    /// How it asks.
    #[must_use]
    pub fn settings(&self) -> &FetchSettings {
        &self.settings
    }

    /// Asks for what `follows` names, beginning with the server that answered last.
    ///
    /// # Errors
    /// The most telling [`FetchError`] when no server gave a configuration.
    pub async fn fetch(&self, follows: &Follows, ask: &Ask) -> Result<Fetched, FetchError> {
        let servers = &self.settings.servers;
        let first = self.current.load(Ordering::Relaxed);
        let mut worst: Option<FetchError> = None;
        for turn in 0..servers.len() {
            let at = (first + turn) % servers.len();
            match self.ask(&servers[at], follows, ask).await {
                Ok(fetched) => {
                    self.current.store(at, Ordering::Relaxed);
                    return Ok(fetched);
                }
                Err(error) if worst.as_ref().is_none_or(|worst| worst.weight() < error.weight()) => worst = Some(error),
                Err(_) => {}
            }
        }
        Err(worst.unwrap_or_else(|| FetchError::TimedOut {
            server: "no server".to_owned(),
        }))
    }

    async fn ask(&self, server: &Url, follows: &Follows, ask: &Ask) -> Result<Fetched, FetchError> {
        let name = name_of(server);
        let mut request = self
            .http
            .get(url_of(server, follows))
            .timeout(self.settings.timeout)
            .header(ACCEPT, headers::ENVIRONMENT_V2);
        if let Some(login) = &self.settings.login {
            request = login.sign(request);
        }
        if let Some(etag) = &ask.etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        if !ask.at_least.is_empty() {
            request = request.header(headers::AT_LEAST, AtLeast::join(&ask.at_least));
        }
        let response = request.send().await.map_err(|cause| broken(&name, cause))?;
        let standing = standing(response.headers());
        let etag = header(response.headers(), ETAG.as_str());
        match response.status() {
            StatusCode::OK => {
                let body = self.body(&name, response).await?;
                let environment = parse(&name, &body)?;
                Ok(Fetched::Changed(Box::new(Answer::new(environment, etag, standing))))
            }
            StatusCode::NOT_MODIFIED => Ok(Fetched::NotModified(standing)),
            status => Err(self.refusal(name, status, response, !ask.at_least.is_empty()).await),
        }
    }

    async fn body(&self, server: &str, mut response: Response) -> Result<Vec<u8>, FetchError> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|cause| broken(server, cause))? {
            if body.len() + chunk.len() > self.settings.largest {
                return Err(FetchError::TooLarge {
                    server: server.to_owned(),
                    limit: self.settings.largest,
                });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    async fn refusal(&self, server: String, status: StatusCode, response: Response, bound: bool) -> FetchError {
        let retry_after = retry_after(response.headers());
        let body = self.body(&server, response).await.unwrap_or_default();
        FetchError::Status {
            server,
            status: status.as_u16(),
            detail: detail(&body),
            retry_after,
            behind: bound && status == StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

fn broken(server: &str, cause: reqwest::Error) -> FetchError {
    let server = server.to_owned();
    if cause.is_timeout() && !cause.is_connect() {
        return FetchError::TimedOut { server };
    }
    FetchError::Unreachable {
        server,
        // The URL may hold a password.
        cause: Box::new(cause.without_url()),
    }
}

fn parse(server: &str, body: &[u8]) -> Result<Environment, FetchError> {
    // The parser's own text would quote what it did not expect.
    serde_json::from_slice(body).map_err(|error| FetchError::Malformed {
        server: server.to_owned(),
        line: error.line(),
        column: error.column(),
    })
}

/// Seconds only: a date would need the server's clock.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// `detail` of a problem document or `message` of Spring's error body.
fn detail(body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let said = body.get("detail").or_else(|| body.get("message"))?.as_str()?;
    let plain: String = said.chars().filter(|c| !c.is_control()).take(LONGEST_DETAIL).collect();
    (!plain.is_empty()).then_some(plain)
}

/// Scheme, host and port: what may be shown of a server's URL.
fn name_of(server: &Url) -> String {
    server.origin().ascii_serialization()
}

/// `{server}/{application}/{profiles}[/{label}]` (spring-cloud-config contract 7.2).
fn url_of(server: &Url, follows: &Follows) -> Url {
    let mut url = server.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments
            .pop_if_empty()
            .push(follows.application.as_str())
            .push(&follows.profile_names().join(","));
        if let Some(label) = &follows.label {
            segments.push(&label.to_segment());
        }
    }
    url
}
