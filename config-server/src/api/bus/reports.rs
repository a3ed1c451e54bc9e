//! Reports, in and out: what agents say, and how each refresh went.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use contract::{DeliveryReport, EventId, Report};
use http::StatusCode;

use super::BusState;
use super::body::Body;
use super::failure::JournalFailure;
use crate::api::problem::{Problem, ProblemKind};
use crate::change::clock;

/// `POST /bus/reports`
pub(super) async fn report(state: State<BusState>, Body(body): Body) -> Response {
    match serde_json::from_slice::<Report>(&body) {
        Ok(report) => {
            state.change.delivery().heard(&report, clock::now());
            StatusCode::NO_CONTENT.into_response()
        }
        Err(error) => {
            let place = format!("line {}, column {}", error.line(), error.column());
            Problem::new(ProblemKind::BadRequest, format!("the report cannot be read at {place}")).into_response()
        }
    }
}

/// `GET /bus/refreshes`
pub(super) async fn refreshes(state: State<BusState>) -> Result<Json<Vec<DeliveryReport>>, JournalFailure> {
    Ok(Json(state.change.delivery().recent().await?))
}

/// `GET /bus/refreshes/{id}`
pub(super) async fn refresh(state: State<BusState>, id: Path<String>) -> Result<Response, JournalFailure> {
    let report = state.change.delivery().report(&EventId::received(&id)).await?;
    Ok(match report {
        Some(report) => Json(report).into_response(),
        None => Problem::new(ProblemKind::NotFound, "no refresh of that id is known").into_response(),
    })
}
