//! Every route on one screen.
//!
//! ```text
//! /actuator/..              how the server does                  actuator::routes
//! /live /ready /tasks
//! /actuator/busrefresh ..   Spring's spelling of the bus         bus::busrefresh, busenv, busshutdown
//! /bus/..                   refresh, events, reports             bus::routes
//! /monitor                  webhooks                             bus::monitor
//! everything else           Spring's configuration routes        configuration::answer
//! ```
//!
//! From outside in, a request passes: observation (log line, metrics, a panic caught), the guard
//! (`spring.security.user.*`), its route.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::future::RouteFuture;
use futures_util::future::Either;
use http::{Method, Request};
use tokio::time::Instant;
use tower::Service;

use super::authentication::{Guard, require};
use super::bus::{self, BusState};
use super::configuration::{Configuration, answer};
use super::method_not_allowed;
use super::observe::{REQUEST_ID, observe};
use crate::actuator::{self, Actuator, Metrics};
use crate::settings::ManagementSettings;

/// What the routes are made of.
#[derive(Debug, Clone)]
pub struct Parts {
    pub configuration: Configuration,
    pub actuator: Arc<Actuator>,
    /// `None` when nothing is announced.
    pub bus: Option<BusState>,
    pub guard: Guard,
    pub metrics: Arc<Metrics>,
    /// Bytes of a request's body.
    pub body_limit: usize,
}

/// What connections talk to: a reply that is ready, or all the routes.
#[derive(Debug, Clone)]
pub struct Front {
    configuration: Configuration,
    guard: Guard,
    metrics: Arc<Metrics>,
    routes: Router,
}

impl Front {
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self {
            configuration: parts.configuration.clone(),
            guard: parts.guard.clone(),
            metrics: Arc::clone(&parts.metrics),
            routes: routes(parts),
        }
    }

    /// The short way, for a request like one that came the long way just now. What is to be seen in
    /// the log goes the long way, too.
    fn ready(&self, request: &Request<Body>) -> Option<Response> {
        let usual = request.method() == Method::GET && !request.headers().contains_key(REQUEST_ID);
        if !usual || tracing::enabled!(tracing::Level::DEBUG) || !self.guard.knows(request.headers()) {
            return None;
        }
        let started = Instant::now();
        let response = self.configuration.ready(request.uri(), request.headers(), started)?;
        self.metrics.observe(response.status(), started.elapsed());
        Some(response)
    }
}

impl Service<Request<Body>> for Front {
    type Response = Response;
    type Error = Infallible;
    type Future = Either<Ready<Result<Response, Infallible>>, RouteFuture<Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match self.ready(&request) {
            Some(response) => Either::Left(ready(Ok(response))),
            None => Either::Right(self.routes.call(request)),
        }
    }
}

/// All of it.
fn routes(parts: Parts) -> Router {
    let bus = parts.bus.map(|bus| bus_routes(bus, &parts.actuator.settings));
    Router::new()
        .merge(actuator::routes::routes(parts.actuator))
        .merge(bus.unwrap_or_default())
        .fallback_service(axum::routing::any(answer).with_state(parts.configuration))
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(parts.body_limit))
        .layer(from_fn_with_state(parts.guard, require))
        .layer(from_fn_with_state(parts.metrics, observe))
}

fn bus_routes(state: BusState, management: &ManagementSettings) -> Router {
    let base = &management.base_path;
    let mut router = bus::routes().merge(bus::monitor(&state.monitor.path));
    if management.obeys("busrefresh") {
        router = router.merge(bus::busrefresh(base));
    }
    if management.obeys("busenv") {
        router = router.merge(bus::busenv(base));
    }
    if management.obeys("busshutdown") {
        router = router.merge(bus::busshutdown(base));
    }
    router.with_state(state)
}
