//! The bytes to and from a remote, for libgit2's smart protocol.
//!
//! libgit2 has no total deadline, speaks TLS through OpenSSL and cannot be interrupted. So every
//! remote that is not a directory is reached by one transport of our own: libgit2 is told to fetch
//! from `config-bus://`, and whatever [`Line`] the fetching thread holds at that moment carries it.
//! **Invariant: no wait outlives the line's deadline**, however slowly the remote drips.

mod http;
mod identity;
mod ssh;
mod tcp;

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use git2::transport::{Service, SmartSubtransport, SmartSubtransportStream, Transport};
use git2::{Error, ErrorClass, ErrorCode, Remote as GitRemote};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::runtime::Runtime;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::error::Failure;
use super::remote::{Address, Remote};
pub(super) use http::Client;
pub(super) use identity::Identity;

/// What libgit2 is asked to fetch from; the line decides where that is.
pub(super) const URL: &str = "config-bus://remote";

/// How to reach one remote: made once, used for every fetch.
#[derive(Debug)]
pub(super) enum Route {
    /// Read as it stands; nothing is carried.
    Local(PathBuf),
    Http(Client),
    Daemon {
        host: String,
        port: u16,
        path: String,
    },
    Ssh(Identity),
}

/// The connection of one fetch.
#[derive(Debug, Clone)]
pub(super) struct Line {
    runtime: Arc<Runtime>,
    route: Arc<Route>,
    timeout: Duration,
    deadline: Instant,
    stop: CancellationToken,
    /// The first failure: libgit2 only passes texts along.
    failure: Arc<Mutex<Option<Failure>>>,
}

thread_local! {
    /// The line of the fetch that runs on this thread; libgit2 opens transports on it.
    static CURRENT: RefCell<Option<Line>> = const { RefCell::new(None) };
}

impl Line {
    pub(super) fn new(runtime: &Arc<Runtime>, route: &Arc<Route>, timeout: Duration, stop: &CancellationToken) -> Self {
        Self {
            runtime: runtime.clone(),
            route: route.clone(),
            timeout,
            deadline: Instant::now() + timeout,
            stop: stop.clone(),
            failure: Arc::default(),
        }
    }

    /// The directory to read from, when the remote is one.
    pub(super) fn directory(&self) -> Option<&Path> {
        match &*self.route {
            Route::Local(path) => Some(path),
            Route::Http(_) | Route::Daemon { .. } | Route::Ssh(_) => None,
        }
    }

    /// The outcome of a step, or what ended the line before.
    pub(super) fn verdict<T>(&self, outcome: Result<T, Failure>) -> Result<T, Failure> {
        outcome.map_err(|failure| self.failed().unwrap_or(failure))
    }

    /// Runs a fetch whose transports use this line. When it fails, says what the transport saw.
    pub(super) fn carry<T>(&self, fetch: impl FnOnce() -> Result<T, Error>) -> Result<T, Failure> {
        CURRENT.set(Some(self.clone()));
        let fetched = fetch();
        CURRENT.set(None);
        self.verdict(fetched.map_err(|error| Failure::fetching(&error)))
    }

    /// Whether the fetch may go on; asked by libgit2 between the objects of a pack.
    pub(super) fn is_open(&self) -> bool {
        let ended = if self.stop.is_cancelled() {
            Failure::Stopped
        } else if Instant::now() >= self.deadline {
            Failure::TimedOut(self.timeout)
        } else {
            return true;
        };
        self.fail(ended);
        false
    }

    /// Waits for one step of the transport, at most until the deadline.
    fn wait<T>(&self, step: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let waited = self.runtime.block_on(async {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => Err(Failure::Stopped),
                done = timeout_at(self.deadline, step) => done.unwrap_or(Err(Failure::TimedOut(self.timeout))),
            }
        });
        waited.inspect_err(|failure| self.fail(failure.clone()))
    }

    fn fail(&self, failure: Failure) {
        self.failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(failure);
    }

    fn failed(&self) -> Option<Failure> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Route {
    /// How `remote` is reached by `settings`.
    ///
    /// # Errors
    /// A setting that cannot be used: an unreadable certificate bundle, a bad proxy.
    pub(super) fn to(remote: &Remote, settings: &crate::settings::GitSettings) -> Result<Self, Failure> {
        register()?;
        Ok(match &remote.address {
            Address::Local(path) => Self::Local(path.clone()),
            Address::Http(url) => Self::Http(Client::new(url, remote, settings)?),
            Address::Daemon { host, port, path } => Self::Daemon {
                host: host.clone(),
                port: *port,
                path: path.clone(),
            },
            Address::Ssh { .. } => Self::Ssh(Identity::new(remote, settings)?),
        })
    }
}

/// Makes libgit2 know the scheme, once per process.
#[expect(
    unsafe_code,
    reason = "the two process-wide settings of libgit2, made before any other use of it"
)]
fn register() -> Result<(), Failure> {
    static REGISTERED: OnceLock<Result<(), Failure>> = OnceLock::new();
    REGISTERED
        .get_or_init(|| {
            // SAFETY: `OnceLock` runs this once and everybody else waits for it; nothing else in the
            // process registers transports or sets options of libgit2.
            let registered = unsafe {
                git2::transport::register("config-bus", open).and_then(|()| {
                    // A repository owned by another user is read, never executed: no hooks, no
                    // filters, no configured commands run on this side.
                    git2::opts::set_verify_owner_validation(false)
                })
            };
            registered.map_err(|error| {
                tracing::error!(%error, "libgit2 refuses the transport");
                Failure::Setting("the transport cannot be registered")
            })
        })
        .clone()
}

/// Opens a transport on the line of the current thread.
fn open(remote: &GitRemote<'_>) -> Result<Transport, Error> {
    let line = CURRENT
        .with_borrow(Clone::clone)
        .ok_or_else(|| refusal("no fetch runs on this thread"))?;
    // HTTP has no connection: each round of the negotiation is a request of its own.
    let stateless = matches!(*line.route, Route::Http(_));
    Transport::smart(remote, stateless, Subtransport { line })
}

fn refusal(message: &str) -> Error {
    Error::new(ErrorCode::GenericError, ErrorClass::Net, message)
}

struct Subtransport {
    line: Line,
}

impl SmartSubtransport for Subtransport {
    fn action(&self, _url: &str, service: Service) -> Result<Box<dyn SmartSubtransportStream>, Error> {
        let line = &self.line;
        match service {
            Service::UploadPackLs | Service::UploadPack => {}
            Service::ReceivePackLs | Service::ReceivePack => return Err(refusal("nothing is ever pushed")),
        }
        let opened: Result<Box<dyn SmartSubtransportStream>, Failure> = match &*line.route {
            Route::Http(client) => Ok(Box::new(http::Exchange::new(line, client, service))),
            Route::Daemon { host, port, path } => tcp::connect(line, host, *port, path).map(|pipe| Box::new(pipe) as _),
            Route::Ssh(identity) => ssh::connect(line, identity).map(|pipe| Box::new(pipe) as _),
            Route::Local(_) => Err(Failure::Protocol),
        };
        opened.map_err(|failure| {
            line.fail(failure.clone());
            refusal(&failure.to_string())
        })
    }

    fn close(&self) -> Result<(), Error> {
        Ok(())
    }
}

/// A two-way byte stream on a line, blocking as libgit2 wants it.
struct Pipe<S> {
    line: Line,
    stream: S,
}

impl<S: AsyncRead + Unpin> io::Read for Pipe<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let stream = &mut self.stream;
        let read = self.line.wait(async { stream.read(buffer).await.map_err(unreachable) });
        read.map_err(io::Error::other)
    }
}

impl<S: AsyncWrite + Unpin> io::Write for Pipe<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let stream = &mut self.stream;
        let written = self.line.wait(async {
            stream.write_all(bytes).await.map_err(unreachable)?;
            stream.flush().await.map_err(unreachable)
        });
        written.map(|()| bytes.len()).map_err(io::Error::other)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[expect(clippy::needless_pass_by_value, reason = "shaped for `map_err`")]
fn unreachable(error: io::Error) -> Failure {
    Failure::Unreachable(error.kind())
}
