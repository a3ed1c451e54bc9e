//! Problem details (RFC 9457), the errors of the routes config-bus adds.

use axum::response::{IntoResponse, Response};
use contract::headers::PROBLEM;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

/// What went wrong, as a stable name that a program may act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// The request makes no sense as it is.
    BadRequest,
    /// No such thing: a report, an agent, a route.
    NotFound,
    /// The route exists, but not for this method.
    MethodNotAllowed,
    /// The body is larger than `config-bus.http.body-limit`.
    TooLarge,
    /// The caller did not prove who it is.
    Unauthorized,
    /// The commit in `X-Config-At-Least` is not here yet.
    Behind,
    /// The repository or the bus cannot be reached now.
    Unavailable,
    /// A fault of the server; the log has it under the instance.
    Internal,
}

/// One error answer. `detail` is safe for strangers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    kind: ProblemKind,
    detail: String,
    retry_after: Option<u64>,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
}

impl ProblemKind {
    /// Stable name, title and status.
    fn parts(self) -> (&'static str, &'static str, StatusCode) {
        match self {
            Self::BadRequest => (
                "bad-request",
                "The request cannot be understood",
                StatusCode::BAD_REQUEST,
            ),
            Self::NotFound => ("not-found", "There is no such thing", StatusCode::NOT_FOUND),
            Self::MethodNotAllowed => (
                "method-not-allowed",
                "The method is not for this route",
                StatusCode::METHOD_NOT_ALLOWED,
            ),
            Self::TooLarge => ("too-large", "The body is too large", StatusCode::PAYLOAD_TOO_LARGE),
            Self::Unauthorized => ("unauthorized", "Who calls is not known", StatusCode::UNAUTHORIZED),
            Self::Behind => (
                "behind",
                "The server does not have that commit yet",
                StatusCode::SERVICE_UNAVAILABLE,
            ),
            Self::Unavailable => (
                "unavailable",
                "Something the server needs cannot be reached",
                StatusCode::SERVICE_UNAVAILABLE,
            ),
            Self::Internal => ("internal", "The server failed", StatusCode::INTERNAL_SERVER_ERROR),
        }
    }

    #[must_use]
    pub fn status(self) -> StatusCode {
        self.parts().2
    }
}

impl Problem {
    #[must_use]
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            retry_after: None,
        }
    }

    /// When asking again makes sense.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (name, title, status) = self.kind.parts();
        let body = Body {
            r#type: format!("urn:config-bus:problem:{name}"),
            title,
            status: status.as_u16(),
            detail: &self.detail,
        };
        let body = serde_json::to_vec(&body).expect("texts and a number serialise");
        let mut response = (status, [(header::CONTENT_TYPE, PROBLEM)], body).into_response();
        if let Some(seconds) = self.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_has_its_own_name_and_its_status() {
        for (kind, name, status) in [
            (ProblemKind::BadRequest, "bad-request", 400),
            (ProblemKind::NotFound, "not-found", 404),
            (ProblemKind::MethodNotAllowed, "method-not-allowed", 405),
            (ProblemKind::TooLarge, "too-large", 413),
            (ProblemKind::Unauthorized, "unauthorized", 401),
            (ProblemKind::Behind, "behind", 503),
            (ProblemKind::Unavailable, "unavailable", 503),
            (ProblemKind::Internal, "internal", 500),
        ] {
            assert_eq!((kind.parts().0, kind.status().as_u16()), (name, status));
        }
    }

    #[test]
    fn a_problem_says_when_to_try_again() {
        let response = Problem::new(ProblemKind::Behind, "commit abc is not here yet")
            .retry_after(2)
            .into_response();
        assert_eq!(response.headers()[header::RETRY_AFTER], "2");
        assert_eq!(response.headers()[header::CONTENT_TYPE], PROBLEM);
    }
}
