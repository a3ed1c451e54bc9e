//! `POST /actuator/busshutdown[/{destination}]`: have every process it reaches end.
//!
//! The body is never read, as Spring's endpoint takes none.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use contract::{Destination, EventKind};
use http::StatusCode;

use super::BusState;
use super::destination::Parameters;
use super::failure::JournalFailure;
use crate::store::Cause;

pub(super) async fn everybody(state: State<BusState>, query: Parameters) -> Response {
    shut_down(&state, query.destination(None)).await
}

pub(super) async fn named(state: State<BusState>, path: Path<String>, query: Parameters) -> Response {
    shut_down(&state, query.destination(Some(&path))).await
}

/// A path that ends before its destination names nobody, as with `busrefresh/`.
pub(super) async fn nobody(state: State<BusState>) -> Response {
    shut_down(&state, Destination::normalised(Some(""))).await
}

async fn shut_down(state: &BusState, destination: Destination) -> Response {
    let announced = state.change.announce(destination, EventKind::Shutdown, Cause::Operator);
    match announced.await {
        Ok(_) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => JournalFailure::from(error).into_response(),
    }
}
