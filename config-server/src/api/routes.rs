//! Every route on one screen.
//!
//! ```text
//! /actuator/..              how the server does                  actuator::routes
//! /live /ready /tasks
//! /actuator/busrefresh ..   Spring's spelling of the bus         bus::busrefresh, bus::busenv
//! /bus/..                   refresh, events, reports             bus::routes
//! /monitor                  webhooks                             bus::monitor
//! everything else           Spring's configuration routes        configuration::answer
//! ```
//!
//! From outside in, a request passes: observation (log line, metrics, a panic caught), the guard
//! (`spring.security.user.*`), its route.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;

use super::authentication::{Guard, require};
use super::bus::{self, BusState};
use super::configuration::{Configuration, answer};
use super::method_not_allowed;
use super::observe::observe;
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

/// All of it.
pub fn routes(parts: Parts) -> Router {
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
    if management.exposes("busrefresh") {
        router = router.merge(bus::busrefresh(base));
    }
    if management.exposes("busenv") {
        router = router.merge(bus::busenv(base));
    }
    router.with_state(state)
}
