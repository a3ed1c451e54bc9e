//! `http` and `https`: git's smart protocol as plain requests, on the same TLS stack as the rest.

use std::error::Error;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Buf, Bytes};
use git2::transport::Service;
use reqwest::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use reqwest::{Certificate, NoProxy, Proxy, RequestBuilder, Response, StatusCode};
use url::Url;

use super::Line;
use crate::git::error::Failure;
use crate::git::remote::{Login, Remote};
use crate::settings::{GitSettings, backend};

/// Redirects followed while the repository is looked for.
const MAX_REDIRECTS: usize = 5;

/// Speaks to one remote.
#[derive(Debug)]
pub(in crate::git) struct Client {
    http: reqwest::Client,
    url: Url,
    login: Option<Login>,
    /// Where the last look-up was redirected to; requests of the same fetch go there.
    found: Arc<Mutex<Url>>,
}

/// One request and its answer, as the stream that libgit2 writes and then reads.
pub(super) struct Exchange {
    line: Line,
    http: reqwest::Client,
    login: Option<Login>,
    url: Url,
    found: Arc<Mutex<Url>>,
    service: Service,
    request: Vec<u8>,
    answer: Option<Response>,
    chunk: Bytes,
}

impl Client {
    pub(super) fn new(url: &Url, remote: &Remote, settings: &GitSettings) -> Result<Self, Failure> {
        let mut builder = reqwest::Client::builder()
            // Servers tell git from browsers by this beginning.
            .user_agent(concat!("git/2.0 (config-bus ", env!("CARGO_PKG_VERSION"), ")"))
            // Followed by hand: the policy depends on the request.
            .redirect(reqwest::redirect::Policy::none())
            .tls_danger_accept_invalid_certs(settings.skip_ssl_validation);
        for proxy in &settings.proxies {
            builder = builder.proxy(proxied(proxy)?);
        }
        if let Some(file) = &settings.ca_file {
            let bundle = std::fs::read(file).map_err(|_| Failure::Setting("the certificate bundle cannot be read"))?;
            let certificates = Certificate::from_pem_bundle(&bundle)
                .map_err(|_| Failure::Setting("the certificate bundle is not PEM"))?;
            builder = builder.tls_certs_merge(certificates);
        }
        Ok(Self {
            http: builder
                .build()
                .map_err(|_| Failure::Setting("the TLS settings cannot be used"))?,
            url: url.clone(),
            login: login(remote, settings),
            found: Arc::new(Mutex::new(url.clone())),
        })
    }
}

impl Exchange {
    pub(super) fn new(line: &Line, client: &Client, service: Service) -> Self {
        Self {
            line: line.clone(),
            http: client.http.clone(),
            login: client.login.clone(),
            url: client.url.clone(),
            found: client.found.clone(),
            service,
            request: Vec::new(),
            answer: None,
            chunk: Bytes::new(),
        }
    }

    fn send(&mut self) -> Result<Response, Failure> {
        match self.service {
            Service::UploadPackLs => self.discover(),
            Service::UploadPack | Service::ReceivePackLs | Service::ReceivePack => self.negotiate(),
        }
    }

    /// `GET info/refs`: is there a repository, and where?
    fn discover(&self) -> Result<Response, Failure> {
        let mut url = below(&self.url, "info/refs");
        url.set_query(Some("service=git-upload-pack"));
        for _ in 0..=MAX_REDIRECTS {
            let request = self.http.get(url.clone()).header(CACHE_CONTROL, "no-cache");
            let answer = self.answer_to(self.logged_in(request, &url))?;
            if answer.status().is_redirection() {
                url = redirected(&url, &answer)?;
                continue;
            }
            let answer = accepted(answer, "application/x-git-upload-pack-advertisement")?;
            *self.found.lock().unwrap_or_else(PoisonError::into_inner) = above(&url);
            return Ok(answer);
        }
        Err(Failure::Redirect)
    }

    /// `POST git-upload-pack`: one round of the negotiation, the last one answers with the pack.
    fn negotiate(&mut self) -> Result<Response, Failure> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let url = below(&found, "git-upload-pack");
        let request = self
            .http
            .post(url.clone())
            .header(CONTENT_TYPE, "application/x-git-upload-pack-request")
            .header(ACCEPT, "application/x-git-upload-pack-result")
            .body(std::mem::take(&mut self.request));
        let answer = self.answer_to(self.logged_in(request, &url))?;
        if answer.status().is_redirection() {
            return Err(Failure::Redirect);
        }
        accepted(answer, "application/x-git-upload-pack-result")
    }

    /// Credentials go to the configured origin only, never to where it redirects.
    fn logged_in(&self, request: RequestBuilder, url: &Url) -> RequestBuilder {
        match &self.login {
            Some(login) if url.origin() == self.url.origin() => {
                request.basic_auth(&login.name, Some(login.password.expose()))
            }
            _ => request,
        }
    }

    fn answer_to(&self, request: RequestBuilder) -> Result<Response, Failure> {
        self.line
            .wait(async { request.send().await.map_err(|error| broken(&error)) })
    }

    /// Fills `chunk` unless the answer is at its end.
    fn more(&mut self) -> Result<(), Failure> {
        if self.answer.is_none() {
            let answer = self.send().inspect_err(|failure| self.line.fail(failure.clone()))?;
            self.answer = Some(answer);
        }
        let Some(answer) = &mut self.answer else {
            return Ok(());
        };
        let chunk = self
            .line
            .wait(async { answer.chunk().await.map_err(|error| broken(&error)) })?;
        self.chunk = chunk.unwrap_or_default();
        Ok(())
    }
}

impl io::Read for Exchange {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.chunk.is_empty() {
            self.more().map_err(io::Error::other)?;
        }
        let length = self.chunk.len().min(buffer.len());
        self.chunk.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}

impl io::Write for Exchange {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.request.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn login(remote: &Remote, settings: &GitSettings) -> Option<Login> {
    let configured = settings.credentials.username.as_ref().map(|name| Login {
        name: name.clone(),
        password: settings.credentials.password.clone().unwrap_or_default(),
    });
    configured.or_else(|| remote.login.clone())
}

fn proxied(proxy: &backend::Proxy) -> Result<Proxy, Failure> {
    const BAD: Failure = Failure::Setting("a proxy is not `host` and `port`");
    let address = format!("http://{}:{}", proxy.host, proxy.port);
    let made = match proxy.scheme.as_str() {
        "http" => Proxy::http(address),
        _ => Proxy::https(address),
    };
    let made = made.map_err(|_| BAD)?;
    // Java writes `*.example.com` where others write `.example.com`.
    let exempt: Vec<&str> = proxy
        .non_proxy_hosts
        .iter()
        .map(|host| host.trim_start_matches('*'))
        .collect();
    let made = made.no_proxy(NoProxy::from_string(&exempt.join(",")));
    Ok(match (&proxy.username, &proxy.password) {
        (Some(name), Some(password)) => made.basic_auth(name, password.expose()),
        (Some(name), None) => made.basic_auth(name, ""),
        (None, _) => made,
    })
}

/// The address of something inside the repository; queries of the configured address are dropped.
fn below(repository: &Url, name: &str) -> Url {
    let mut url = repository.clone();
    url.set_path(&format!("{}/{name}", repository.path().trim_end_matches('/')));
    url.set_query(None);
    url.set_fragment(None);
    url
}

/// The repository whose `info/refs` this is.
fn above(url: &Url) -> Url {
    let mut repository = url.clone();
    let path = url.path();
    repository.set_path(path.strip_suffix("/info/refs").unwrap_or(path));
    repository.set_query(None);
    repository
}

/// Where to go on: encryption is never given up, and the end of the path must stay what it was.
fn redirected(from: &Url, answer: &Response) -> Result<Url, Failure> {
    let location = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let to = location
        .and_then(|location| from.join(location).ok())
        .ok_or(Failure::Redirect)?;
    let downgrade = from.scheme() == "https" && to.scheme() != "https";
    if downgrade || !matches!(to.scheme(), "http" | "https") || !to.path().ends_with("/info/refs") {
        return Err(Failure::Redirect);
    }
    Ok(to)
}

fn accepted(answer: Response, content_type: &str) -> Result<Response, Failure> {
    let sent = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    match answer.status() {
        StatusCode::OK if sent == Some(content_type) => Ok(answer),
        // Some other web page, or git's protocol without smartness.
        StatusCode::OK | StatusCode::NOT_FOUND | StatusCode::GONE => Err(Failure::NotARepository),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(Failure::Unauthorized),
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => Err(Failure::ProxyUnauthorized),
        status => Err(Failure::Status(status.as_u16())),
    }
}

/// What broke, found along the chain of causes.
fn broken(error: &reqwest::Error) -> Failure {
    tracing::debug!(error = %error.without_url_text(), "a request to the remote failed");
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    let mut kind = None;
    while let Some(error) = cause {
        if error.is::<rustls::Error>() {
            return Failure::Certificate;
        }
        // The types that say so are private to the client.
        let text = error.to_string();
        if let Some(failure) = tunnel(&text) {
            return failure;
        }
        if text == "dns error" {
            return Failure::UnknownHost;
        }
        cause = match error.downcast_ref::<io::Error>() {
            // Its `source` is that of what it wraps, which would be passed over.
            Some(io) => {
                kind = Some(io.kind());
                io.get_ref().map(|inner| inner as &(dyn Error + 'static))
            }
            None => error.source(),
        };
    }
    match kind {
        Some(kind) => Failure::Unreachable(kind),
        None if error.is_connect() => Failure::Unreachable(io::ErrorKind::Other),
        None => Failure::Protocol,
    }
}

/// What a proxy before the remote did, by what the client says of its tunnel.
fn tunnel(text: &str) -> Option<Failure> {
    Some(match text.strip_prefix("tunnel error: ")? {
        "failed to create underlying connection" => Failure::ProxyUnreachable,
        "proxy authorization required" => Failure::ProxyUnauthorized,
        _ => Failure::ProxyRefused,
    })
}

/// Addresses may hold credentials, so they are left out of what is logged.
trait WithoutUrl {
    fn without_url_text(&self) -> String;
}

impl WithoutUrl for reqwest::Error {
    fn without_url_text(&self) -> String {
        self.source().map_or_else(|| "no cause".to_owned(), ToString::to_string)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().expect("a URL")
    }

    #[test]
    fn the_parts_of_a_repository_are_below_its_address() {
        let refs = below(&url("https://h/team/config.git/?x=1"), "info/refs");
        assert_eq!(refs.as_str(), "https://h/team/config.git/info/refs");
        assert_eq!(above(&refs).as_str(), "https://h/team/config.git");
    }

    fn redirect(from: &str, to: &str) -> Option<String> {
        let answer = http::Response::builder()
            .status(301)
            .header("location", to)
            .body("")
            .expect("an answer");
        redirected(&url(from), &answer.into()).ok().map(String::from)
    }

    #[test]
    fn redirects_keep_encryption_and_the_end_of_the_path() {
        let from = "https://h/a/info/refs?service=git-upload-pack";
        assert_eq!(
            redirect(from, "/b.git/info/refs").as_deref(),
            Some("https://h/b.git/info/refs")
        );
        for to in [
            "http://h/b/info/refs",
            "https://h/login",
            "file:///etc/info/refs",
            "https://[",
        ] {
            assert_eq!(redirect(from, to), None, "{to}");
        }
    }
}
