//! A request's body as bytes, within the limit.

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::StatusCode;

use crate::api::problem::{Problem, ProblemKind};

/// The whole body.
#[derive(Debug)]
pub(super) struct Body(pub(super) Bytes);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match Bytes::from_request(request, state).await {
            Ok(bytes) => Ok(Self(bytes)),
            Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(Problem::new(
                ProblemKind::TooLarge,
                "the body is longer than `config-bus.http.body-limit`",
            )),
            Err(_) => Err(Problem::new(ProblemKind::BadRequest, "the body did not arrive")),
        }
    }
}
