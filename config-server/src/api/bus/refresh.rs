//! Refresh now: `POST /bus/refresh[/{destination}]`, and Spring's `busrefresh`.
//!
//! The body is never read: a webhook may be pointed here as well.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use contract::Destination;
use http::StatusCode;

use super::BusState;
use super::destination::Parameters;
use super::failure::JournalFailure;
use crate::api::problem::{Problem, ProblemKind};
use crate::doors::operator;
use crate::store::Cause;

pub(super) async fn refresh(state: State<BusState>, parameters: Parameters) -> Response {
    let wait = match parameters.wait() {
        Ok(wait) => wait,
        Err(wrong) => return Problem::new(ProblemKind::BadRequest, wrong).into_response(),
    };
    let answer = answer(&state, parameters.destination, wait).await;
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
pub(super) async fn busrefresh(state: State<BusState>, parameters: Parameters) -> Response {
    let refreshed = operator::refresh(&state.store, &state.change, parameters.destination, Cause::Operator);
    match refreshed.await {
        Ok(_) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => JournalFailure::from(error).into_response(),
    }
}
