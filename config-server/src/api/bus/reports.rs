//! Reports, in and out: what agents say, how each refresh went, who runs what.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use contract::{AgentStatus, DeliveryReport, EventId, Report};
use http::StatusCode;
use serde::Deserialize;

use super::BusState;
use super::body::Body;
use super::failure::JournalFailure;
use crate::api::problem::{Problem, ProblemKind};
use crate::change::clock;
use crate::change::delivery::Drift;

/// Which agents are asked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    application: Option<String>,
}

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

/// `GET /bus/agents`
pub(super) async fn agents(state: State<BusState>, wanted: Query<Wanted>) -> Json<Vec<AgentStatus>> {
    let mut agents = state.change.delivery().agents();
    if let Some(application) = &wanted.application {
        agents.retain(|agent| agent.application == *application);
    }
    Json(agents)
}

/// `GET /bus/agents/drift`
pub(super) async fn drift(state: State<BusState>) -> Json<Vec<Drift>> {
    Json(state.change.delivery().drift(clock::now()))
}
