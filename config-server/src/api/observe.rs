//! What is noticed about every request: its id, its line in the log, its place in the metrics, and
//! a panic that would otherwise cut the connection.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use http::{HeaderValue, Method};
use tokio::time::Instant;
use tracing::{debug, error, info};

use super::problem::{Problem, ProblemKind};
use crate::actuator::metrics::Metrics;

pub(super) const REQUEST_ID: &str = "x-request-id";
/// A longer id is not ours to repeat.
const LONGEST_ID: usize = 64;

/// An internal error, carried to the log in a response's extensions; the client never sees it.
#[derive(Debug, Clone)]
pub struct Failure(pub Arc<str>);

/// Runs the request and writes down how it went.
pub async fn observe(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let line = Line::of(&request);
    let mut response = AssertUnwindSafe(next.run(request))
        .catch_unwind()
        .await
        .unwrap_or_else(|panic| panicked(&*panic));
    let took = started.elapsed();
    metrics.observe(response.status(), took);
    line.write(&response, took);
    if let Some(id) = line.id {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// What the log says about a request: never a header or a body, which may hold secrets, and of the
/// query nothing either.
struct Line {
    method: Method,
    path: String,
    /// The caller's own id, to be found again in both logs.
    id: Option<HeaderValue>,
}

impl Line {
    fn of(request: &Request) -> Self {
        let given = request.headers().get(REQUEST_ID);
        let fits = |id: &&HeaderValue| id.len() <= LONGEST_ID && id.to_str().is_ok();
        Self {
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            id: given.filter(fits).cloned(),
        }
    }

    /// Reads are many and say little: debug. What changes something, or was refused: info. What
    /// failed: error, with its cause.
    fn write(&self, response: &Response, took: Duration) {
        let (method, path) = (&self.method, self.path.as_str());
        let status = response.status().as_u16();
        let duration_ms = took.as_secs_f64() * 1000.0;
        let id = self.id.as_ref().and_then(|id| id.to_str().ok());
        let failure = response.extensions().get::<Failure>().map(|failure| &*failure.0);
        if response.status().is_server_error() {
            error!(%method, path, status, duration_ms, request.id = id, failure, "a request failed");
        } else if self.method.is_safe() && (status < 400 || status == 404) {
            debug!(%method, path, status, duration_ms, request.id = id, "answered");
        } else {
            info!(%method, path, status, duration_ms, request.id = id, failure, "answered");
        }
    }
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> Response {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let mut response = Problem::new(ProblemKind::Internal, "the request could not be answered").into_response();
    let failure = format!("panicked: {}", text.unwrap_or("without a message"));
    response.extensions_mut().insert(Failure(failure.into()));
    response
}
