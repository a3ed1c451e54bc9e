//! The routes of the bus: refresh, events, reports, and how it all went.
//!
//! - [`refresh`], [`environment`], [`shutdown`]: `POST /bus/refresh`, and Spring's `busrefresh`,
//!   `busenv` and `busshutdown`
//! - [`events`]: `GET /bus/events`, the embedded bus
//! - [`reports`]: `POST /bus/reports`, `GET /bus/refreshes`
//! - [`agents`]: `GET /bus/agents`, who runs what
//! - [`monitor`](mod@monitor): `POST /monitor`, the webhooks of git servers

pub mod agents;
pub mod environment;
pub mod events;
pub mod monitor;
pub mod refresh;
pub mod reports;
pub mod shutdown;

mod body;
mod destination;
mod failure;

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRef;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use bus::embedded::Hub;
use http::{HeaderMap, Uri};

use super::accepted;
use super::problem::{Problem, ProblemKind};
use super::spring_error::SpringError;
use crate::change::Change;
use crate::settings::MonitorSettings;
use crate::store::Store;

/// What these routes work with.
#[derive(Debug, Clone)]
pub struct BusState {
    pub store: Arc<Store>,
    pub change: Arc<Change>,
    pub hub: Arc<Hub>,
    pub monitor: Arc<MonitorSettings>,
}

/// The routes that config-bus adds, with their full paths.
pub fn routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    BusState: FromRef<S>,
{
    Router::new()
        .route("/bus/refresh", ours(post(refresh::refresh)))
        .route("/bus/refresh/{*destination}", ours(post(refresh::refresh)))
        .route("/bus/refreshes", ours(get(reports::refreshes)))
        .route("/bus/refreshes/{id}", ours(get(reports::refresh)))
        .route("/bus/agents", ours(get(agents::agents)))
        .route("/bus/agents/drift", ours(get(agents::drift)))
        .route("/bus/events", ours(get(events::events)))
        .route("/bus/reports", ours(post(reports::report)))
}

/// Spring's `busrefresh`, in both spellings, below the actuator's base path.
pub fn busrefresh<S>(base: &str) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    BusState: FromRef<S>,
{
    ["busrefresh", "bus-refresh"].iter().fold(Router::new(), |router, id| {
        router
            .route(&format!("{base}/{id}"), springs(post(refresh::busrefresh)))
            .route(&format!("{base}/{id}/"), springs(post(refresh::busrefresh)))
            .route(
                &format!("{base}/{id}/{{*destination}}"),
                springs(post(refresh::busrefresh)),
            )
    })
}

/// Spring's `busenv`, in both spellings, below the actuator's base path.
pub fn busenv<S>(base: &str) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    BusState: FromRef<S>,
{
    ["busenv", "bus-env"].iter().fold(Router::new(), |router, id| {
        router
            .route(&format!("{base}/{id}"), springs(post(environment::busenv)))
            .route(
                &format!("{base}/{id}/{{*destination}}"),
                springs(post(environment::busenv)),
            )
    })
}

/// Spring's `busshutdown`, below the actuator's base path. It is younger than the other spelling.
pub fn busshutdown<S>(base: &str) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    BusState: FromRef<S>,
{
    Router::new()
        .route(&format!("{base}/busshutdown"), springs(post(shutdown::busshutdown)))
        .route(&format!("{base}/busshutdown/"), springs(post(shutdown::busshutdown)))
        .route(
            &format!("{base}/busshutdown/{{*destination}}"),
            springs(post(shutdown::busshutdown)),
        )
}

/// The door for webhooks, at `<path>/monitor`.
pub fn monitor<S>(path: &str) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    BusState: FromRef<S>,
{
    Router::new().route(&format!("{path}/monitor"), springs(post(monitor::call)))
}

/// Another method is a problem on our routes, and an error document on Spring's.
fn ours<S: Clone + Send + Sync + 'static>(route: MethodRouter<S>) -> MethodRouter<S> {
    route.fallback(async || Problem::new(ProblemKind::MethodNotAllowed, "see the header `Allow`"))
}

fn springs<S: Clone + Send + Sync + 'static>(route: MethodRouter<S>) -> MethodRouter<S> {
    route
        .fallback(async |uri: Uri, headers: HeaderMap| spring_error(StatusCode::METHOD_NOT_ALLOWED, "", &uri, &headers))
}

fn spring_error(status: StatusCode, message: &str, uri: &Uri, headers: &HeaderMap) -> Response {
    SpringError::new(status, message)
        .answer(uri.path(), &accepted(headers))
        .into_response()
}
