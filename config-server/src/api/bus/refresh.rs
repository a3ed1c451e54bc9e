//! Refresh now: `POST /bus/refresh[/{destination}]`, and Spring's `busrefresh`.
//!
//! The body is never read: a webhook may be pointed here as well.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use contract::Destination;
use http::StatusCode;

use super::BusState;
use super::destination::Parameters;
use super::failure::JournalFailure;
use crate::api::problem::{Problem, ProblemKind};
use crate::doors::operator;
use crate::store::Cause;

pub(super) async fn everybody(state: State<BusState>, query: Parameters) -> Response {
    refresh(&state, &query, None).await
}

pub(super) async fn named(state: State<BusState>, path: Path<String>, query: Parameters) -> Response {
    refresh(&state, &query, Some(&path)).await
}

pub(super) async fn spring_everybody(state: State<BusState>, query: Parameters) -> Response {
    busrefresh(&state, query.destination(None)).await
}

pub(super) async fn spring_named(state: State<BusState>, path: Path<String>, query: Parameters) -> Response {
    busrefresh(&state, query.destination(Some(&path))).await
}

/// `busrefresh/` names the empty destination, which matches nobody, as recorded.
pub(super) async fn spring_nobody(state: State<BusState>) -> Response {
    busrefresh(&state, Destination::normalised(Some(""))).await
}

async fn refresh(state: &BusState, parameters: &Parameters, path: Option<&str>) -> Response {
    let wait = match parameters.wait() {
        Ok(wait) => wait,
        Err(wrong) => return Problem::new(ProblemKind::BadRequest, wrong).into_response(),
    };
    let answer = answer(state, parameters.destination(path), wait).await;
    answer.unwrap_or_else(|error| error.into_response())
}

async fn answer(
    state: &BusState,
    destination: Destination,
    wait: Option<Duration>,
) -> Result<Response, JournalFailure> {
    let BusState { store, change, .. } = state;
    let refreshed = operator::refresh(store, change, destination, Cause::Operator).await?;
    if let Some(wait) = wait
        && let Some(report) = change.delivery().settled(refreshed.event.id(), wait).await?
    {
        return Ok((StatusCode::OK, Json(report)).into_response());
    }
    let receipt = refreshed.receipt(change).await?;
    Ok((StatusCode::ACCEPTED, Json(receipt)).into_response())
}

/// Spring's answer says nothing, not even whether the broker is there; ours is in the outbox then.
async fn busrefresh(state: &BusState, destination: Destination) -> Response {
    match operator::refresh(&state.store, &state.change, destination, Cause::Operator).await {
        Ok(_) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => JournalFailure::from(error).into_response(),
    }
}
