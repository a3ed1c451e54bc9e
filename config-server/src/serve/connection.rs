//! HTTP/1.1 and HTTP/2 on one connection, with explicit limits.

use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use futures_util::TryFutureExt;
use http::header::CONNECTION;
use http::{HeaderValue, Request, Version};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use hyper::rt::{Executor, Read, Write};
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::{self, Connection};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_http::timeout::TimeoutBody;
use tracing::trace;

use super::slots::Slots;
use crate::settings::HttpSettings;

/// Header lines of one request.
const MAX_HEADERS: usize = 64;
/// Bytes of one request's head.
const MAX_HEAD: usize = 32 * 1024;
/// Requests at one time on one HTTP/2 connection.
const MAX_STREAMS: u32 = 128;
/// How often a silent HTTP/2 client is asked whether it is still there.
const PING_INTERVAL: Duration = Duration::from_secs(20);
/// How long it may take to answer.
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// What answers requests, a clone for each.
pub trait Answers:
    tower::Service<Request<Body>, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

impl<A> Answers for A where
    A: tower::Service<Request<Body>, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

/// What is spoken, the same on every connection.
#[derive(Debug, Clone)]
pub struct Protocol {
    builder: auto::Builder<Streams>,
    /// Until the first request, and the longest pause between two pieces of a request's body.
    patience: Duration,
    slots: Slots,
}

/// HTTP/2 streams, which are tasks of their own.
#[derive(Debug, Clone, Default)]
pub struct Streams {
    pub tasks: TaskTracker,
    /// Ends those that do not end by themselves.
    pub cut: CancellationToken,
}

impl Protocol {
    /// The limits of `settings`; what a connection spawns goes to `streams`.
    #[must_use]
    pub fn new(settings: &HttpSettings, streams: Streams, slots: Slots) -> Self {
        let mut builder = auto::Builder::new(streams);
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(settings.header_timeout)
            .max_headers(MAX_HEADERS)
            .max_buf_size(MAX_HEAD);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(u32::try_from(MAX_HEAD).unwrap_or(u32::MAX))
            .keep_alive_interval(PING_INTERVAL)
            .keep_alive_timeout(PING_TIMEOUT);
        Self {
            builder,
            patience: settings.header_timeout,
            slots,
        }
    }

    /// Answers the requests on `stream` until the client goes, or `stop` and the last answer is
    /// out.
    pub async fn speak<S, A>(&self, stream: S, answers: A, stop: &CancellationToken)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        A: Answers,
    {
        let (patience, slots) = (self.patience, self.slots.clone());
        let asked = Arc::new(AtomicBool::new(false));
        let asks = Arc::clone(&asked);
        let service = service_fn(move |request: Request<Incoming>| {
            asks.store(true, Ordering::Relaxed);
            let (version, is_last) = (request.version(), slots.are_scarce());
            // Routes are always ready.
            let answering = answers.clone().call(request.map(|body| bounded(body, patience)));
            answering.map_ok(move |answer| if is_last { last(answer, version) } else { answer })
        });
        let unasked = async move {
            sleep(patience).await;
            if asked.load(Ordering::Relaxed) {
                std::future::pending().await
            }
        };
        let connection = pin!(self.builder.serve_connection(TokioIo::new(stream), service));
        drive(connection, unasked, stop).await;
    }
}

/// Until the connection ends, or `unasked` does. By reference: a connection is some kilobytes, and
/// every idle one would hold them twice.
async fn drive<I, S>(
    mut connection: Pin<&mut Connection<'_, I, S, Streams>>,
    unasked: impl Future<Output = ()>,
    stop: &CancellationToken,
) where
    I: Read + Write + Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    let finished = tokio::select! {
        biased;
        finished = connection.as_mut() => finished,
        // No timer of hyper's runs while it waits to see which version is spoken.
        () = unasked => return trace!("a connection without a request was cut"),
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.as_mut().await
        }
    };
    if let Err(error) = finished {
        // A client that went away, or never spoke HTTP: nothing of ours failed.
        trace!(%error, "a connection ended early");
    }
}

/// The last answer of a connection that is kept for later while others wait for one. HTTP/2 has no
/// such header (RFC 9113, 8.2.2), and few connections.
fn last(mut answer: Response, version: Version) -> Response {
    if version < Version::HTTP_2 {
        answer
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}

/// A body that fails when its sender falls silent. Most requests have none and pay nothing.
fn bounded(body: Incoming, timeout: Duration) -> Body {
    if body.is_end_stream() {
        return Body::empty();
    }
    Body::new(TimeoutBody::new(timeout, body).boxed_unsync())
}

impl<F> Executor<F> for Streams
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        let cut = self.cut.clone();
        self.tasks.spawn(async move {
            cut.run_until_cancelled_owned(stream).await;
        });
    }
}
