//! Git's own `http-backend` behind a small web server: the upstream over `http://`.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::{GitFixture, UPSTREAM, git_program};

/// A web server of one's own on a free port; it ends when dropped.
#[derive(Debug)]
pub struct GitHttp {
    port: u16,
    shared: Arc<Shared>,
    _end: DropGuard,
}

/// How requests are answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Answer {
    /// By git.
    #[default]
    Git,
    /// With this status and nothing else.
    Status(u16),
    /// With a redirect to the same path below this address.
    Redirect(String),
}

#[derive(Debug)]
struct Shared {
    backend: PathBuf,
    root: PathBuf,
    /// `Basic ...`, when a login is asked for.
    authorization: Option<String>,
    answer: Mutex<Answer>,
    requests: AtomicUsize,
}

#[derive(Debug, Default)]
struct Request {
    method: String,
    path: String,
    query: String,
    authorization: Option<String>,
    content_type: String,
    body: Vec<u8>,
}

impl GitHttp {
    /// Serves everything below the fixture's root to everybody.
    ///
    /// # Errors
    /// When git comes without `http-backend`.
    pub async fn start(fixture: &GitFixture) -> Result<Self> {
        Self::serve(fixture, None).await
    }

    /// Serves it to those who send `authorization` (`Basic bmFtZTpwYXNzd29yZA==`).
    ///
    /// # Errors
    /// When git comes without `http-backend`.
    pub async fn start_for(fixture: &GitFixture, authorization: &str) -> Result<Self> {
        Self::serve(fixture, Some(authorization.to_owned())).await
    }

    async fn serve(fixture: &GitFixture, authorization: Option<String>) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            backend: git_program("git-http-backend")?,
            root: fixture.root().to_owned(),
            authorization,
            answer: Mutex::default(),
            requests: AtomicUsize::new(0),
        });
        let stop = CancellationToken::new();
        let tracker = TaskTracker::new();
        let accepting = accept(listener, shared.clone(), tracker.clone(), stop.clone());
        tracker.spawn(accepting);
        Ok(Self {
            port,
            shared,
            _end: stop.drop_guard(),
        })
    }

    /// The upstream's address.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("http://127.0.0.1:{}/{UPSTREAM}", self.port)
    }

    /// The upstream's address with a login in it.
    #[must_use]
    pub fn uri_with(&self, login: &str) -> String {
        format!("http://{login}@127.0.0.1:{}/{UPSTREAM}", self.port)
    }

    /// Where this server is, without a path.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Answers otherwise from now on.
    pub fn answer(&self, answer: Answer) {
        *self.shared.answer.lock().unwrap_or_else(PoisonError::into_inner) = answer;
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Requests seen so far.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::SeqCst)
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, tracker: TaskTracker, stop: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else { continue };
        let (shared, stop) = (shared.clone(), stop.clone());
        tracker.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                // A client that breaks off is its own affair.
                _ = exchange(stream, &shared) => {}
            }
        });
    }
}

/// One request and its answer; the connection ends with it.
async fn exchange(stream: TcpStream, shared: &Shared) -> Result<()> {
    let mut stream = BufReader::new(stream);
    let request = read(&mut stream).await?;
    shared.requests.fetch_add(1, Ordering::SeqCst);
    let answer = shared.answer(&request).await?;
    stream.write_all(&answer).await?;
    stream.shutdown().await?;
    Ok(())
}

async fn read(stream: &mut BufReader<TcpStream>) -> Result<Request> {
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let mut words = line.split_whitespace();
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        bail!("no request line");
    };
    // A proxy is asked with the whole address; this one serves every host itself.
    let target = match target.strip_prefix("http://") {
        Some(rest) => &rest[rest.find('/').unwrap_or(rest.len())..],
        None => target,
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut request = Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        ..Request::default()
    };
    let mut length = 0;
    loop {
        line.clear();
        stream.read_line(&mut line).await?;
        let Some((name, value)) = line.trim().split_once(':') else {
            break;
        };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "authorization" => request.authorization = Some(value.to_owned()),
            "content-type" => request.content_type = value.to_owned(),
            "content-length" => length = value.parse().context("a content length")?,
            _ => {}
        }
    }
    request.body = vec![0; length];
    stream.read_exact(&mut request.body).await?;
    Ok(request)
}

impl Shared {
    async fn answer(&self, request: &Request) -> Result<Vec<u8>> {
        let answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match answer {
            Answer::Status(status) => return Ok(bare(status, "")),
            Answer::Redirect(origin) => {
                let location = format!("Location: {origin}{}?{}\r\n", request.path, request.query);
                return Ok(bare(302, &location));
            }
            Answer::Git => {}
        }
        if self.authorization.is_some() && request.authorization != self.authorization {
            return Ok(bare(401, "WWW-Authenticate: Basic realm=\"git\"\r\n"));
        }
        self.run(request).await
    }

    async fn run(&self, request: &Request) -> Result<Vec<u8>> {
        let mut backend = Command::new(&self.backend)
            .env("GIT_PROJECT_ROOT", &self.root)
            .env("GIT_HTTP_EXPORT_ALL", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("REQUEST_METHOD", &request.method)
            .env("PATH_INFO", &request.path)
            .env("QUERY_STRING", &request.query)
            .env("CONTENT_TYPE", &request.content_type)
            .env("CONTENT_LENGTH", request.body.len().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("starting git http-backend")?;
        if let Some(mut input) = backend.stdin.take() {
            input.write_all(&request.body).await?;
        }
        let output = backend.wait_with_output().await?.stdout;
        Ok(from_cgi(&output))
    }
}

fn bare(status: u16, headers: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} Status\r\n{headers}Content-Length: 0\r\nConnection: close\r\n\r\n").into_bytes()
}

/// CGI puts the status into a header.
fn from_cgi(output: &[u8]) -> Vec<u8> {
    let status = output
        .strip_prefix(b"Status: ")
        .and_then(|rest| rest.get(..3))
        .map_or_else(|| "200".to_owned(), |code| String::from_utf8_lossy(code).into_owned());
    let mut answer = format!("HTTP/1.1 {status} Status\r\nConnection: close\r\n").into_bytes();
    answer.extend_from_slice(output);
    answer
}
