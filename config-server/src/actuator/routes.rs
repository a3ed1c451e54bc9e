//! What of it can be asked for, by `management.*`.
//!
//! Exposed unless the settings say otherwise: health alone, as with Spring Boot. `/live`, `/ready`,
//! `/tasks` and `/bus/status` stand outside the actuator and are always there.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use contract::{CommitId, ServerStatus};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};

use super::meters;
use super::state::Actuator;
use crate::store::Cause;

/// Media type of Spring's actuator answers.
const ACTUATOR: &str = "application/vnd.spring-boot.actuator.v3+json";

type Shared = State<Arc<Actuator>>;

/// The actuator's own routes; those of the bus are mounted beside them.
pub fn routes(actuator: Arc<Actuator>) -> Router {
    let settings = &actuator.settings;
    let at = |id: &str, rest: &str| format!("{}/{id}{rest}", settings.base_path);
    let mut router = Router::new()
        .route("/live", get(|| async { "live" }))
        .route("/ready", get(ready))
        .route("/tasks", get(tasks))
        .route("/bus/status", get(status));
    if settings.exposes("health") {
        router = router
            .route(&at("health", ""), get(health))
            .route(&at("health", "/{component}"), get(component));
    }
    if settings.exposes("info") {
        router = router.route(&at("info", ""), get(info));
    }
    if settings.exposes("env") {
        router = router
            .route(&at("env", ""), get(environment))
            .route(&at("env", "/{name}"), get(setting));
    }
    if settings.exposes("metrics") {
        router = router
            .route(&at("metrics", ""), get(names))
            .route(&at("metrics", "/{name}"), get(metric));
    }
    if settings.exposes("prometheus") {
        router = router.route(&at("prometheus", ""), get(prometheus));
    }
    if settings.obeys("refresh") {
        router = router.route(&at("refresh", ""), post(refresh));
    }
    router.with_state(actuator)
}

async fn ready(State(actuator): Shared) -> Response {
    let (status, body) = actuator.readiness();
    (status, Json(body)).into_response()
}

async fn tasks(State(actuator): Shared) -> Json<Value> {
    Json(actuator.task_list())
}

async fn status(State(actuator): Shared) -> Json<ServerStatus> {
    Json(actuator.status())
}

async fn health(State(actuator): Shared, headers: HeaderMap) -> Response {
    let (status, body) = actuator.health(actuator.guard.knows(&headers)).await;
    document(status, &body)
}

async fn component(State(actuator): Shared, Path(name): Path<String>, headers: HeaderMap) -> Response {
    match actuator.health_of(&name, actuator.guard.knows(&headers)).await {
        Some((status, body)) => document(status, &body),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn info() -> Response {
    let build = json!({ "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") });
    document(StatusCode::OK, &json!({ "build": build }))
}

async fn environment(State(actuator): Shared, headers: HeaderMap) -> Response {
    document(StatusCode::OK, &actuator.environment(actuator.guard.knows(&headers)))
}

async fn setting(State(actuator): Shared, Path(name): Path<String>, headers: HeaderMap) -> Response {
    match actuator.setting(&name, actuator.guard.knows(&headers)) {
        Some(setting) => document(StatusCode::OK, &setting),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn names(State(actuator): Shared) -> Response {
    document(StatusCode::OK, &meters::names(&actuator.registry))
}

async fn metric(State(actuator): Shared, Path(name): Path<String>) -> Response {
    match meters::one(&actuator.registry, &name) {
        Some(metric) => document(StatusCode::OK, &metric),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn prometheus(State(actuator): Shared) -> Response {
    (
        [(header::CONTENT_TYPE, meters::EXPOSITION)],
        meters::exposition(&actuator.registry),
    )
        .into_response()
}

/// Looks at the remotes now. The answer lists the server's own keys that changed, as Spring's does:
/// none, since they never do while it runs.
async fn refresh(State(actuator): Shared) -> Json<Vec<CommitId>> {
    actuator.store.refresh(Cause::Operator).await;
    Json(Vec::new())
}

fn document(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, ACTUATOR)], body.to_string()).into_response()
}
