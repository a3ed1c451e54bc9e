//! `POST /actuator/busshutdown[/{destination}]`: have every process it reaches end.
//!
//! The body is never read, as Spring's endpoint takes none.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use contract::EventKind;
use http::StatusCode;

use super::BusState;
use super::destination::Parameters;
use super::failure::JournalFailure;
use crate::store::Cause;

pub(super) async fn busshutdown(state: State<BusState>, parameters: Parameters) -> Response {
    let announced = state
        .change
        .announce(parameters.destination, EventKind::Shutdown, Cause::Operator);
    match announced.await {
        Ok(_) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => JournalFailure::from(error).into_response(),
    }
}
