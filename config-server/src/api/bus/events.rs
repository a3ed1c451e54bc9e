//! `GET /bus/events`: the embedded bus, as server-sent events.
//!
//! It is there with a broker, too: an agent that cannot reach the broker falls back to it.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use bus::Subscriber;
use bus::embedded::SubscriberQuery;
use futures_util::StreamExt;
use http::{HeaderMap, HeaderValue, header};

use super::BusState;
use crate::api::problem::{Problem, ProblemKind};

const LAST_EVENT_ID: &str = "last-event-id";

pub(super) async fn events(
    state: State<BusState>,
    query: Result<Query<SubscriberQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let subscriber = match subscriber(query) {
        Ok(subscriber) => subscriber,
        Err(problem) => return problem.into_response(),
    };
    let last = headers.get(LAST_EVENT_ID).and_then(|value| value.to_str().ok());
    let stream = state.hub.subscribe(subscriber, last).map(Ok::<_, Infallible>);
    let mut response = Body::from_stream(stream).into_response();
    let answer = response.headers_mut();
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    answer.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("no-cache, no-transform"),
    );
    // Or nginx keeps events until its buffer is full.
    answer.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

fn subscriber(query: Result<Query<SubscriberQuery>, QueryRejection>) -> Result<Subscriber, Problem> {
    let bad = |detail: String| Problem::new(ProblemKind::BadRequest, detail);
    let Query(query) = query.map_err(|_| bad("the parameters `id` and `application` are needed".to_owned()))?;
    Subscriber::try_from(query).map_err(|error| bad(error.to_string()))
}
