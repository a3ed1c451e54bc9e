//! A failed read as an answer: every cause has its status (contract 1.11).

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

use super::observe::Failure;
use super::problem::{Problem, ProblemKind};
use super::spring_error::SpringError;
use crate::engine::placeholder::PlaceholderError;
use crate::engine::render::RenderError;
use crate::read::ReadError;
use crate::store::ViewError;

/// Seconds after which an unreachable repository is worth another try.
const RETRY_AFTER: u64 = 5;

/// The stock server answers some failures differently for files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteKind {
    Environment,
    File,
}

/// The answer to a failed read. `respond` writes Spring's error document.
pub fn answer(error: &ReadError, kind: RouteKind, respond: impl Fn(&SpringError) -> Response) -> Response {
    if let ReadError::View(ViewError::Behind { retry_after, .. }) = error {
        return Problem::new(ProblemKind::Behind, error.to_string())
            .retry_after(retry_after.as_secs().max(1))
            .into_response();
    }
    let status = status(error, kind);
    if status == StatusCode::NOT_FOUND && kind == RouteKind::File {
        return status.into_response();
    }
    let mut response = respond(&SpringError::new(status, error.to_string()));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER));
    }
    response.extensions_mut().insert(Failure(error.to_string().into()));
    response
}

fn status(error: &ReadError, kind: RouteKind) -> StatusCode {
    match error {
        ReadError::View(error) => match error {
            ViewError::UnknownLabel(_) => StatusCode::NOT_FOUND,
            ViewError::Refused(_) => StatusCode::BAD_REQUEST,
            ViewError::Unreachable(_) | ViewError::Behind { .. } => StatusCode::SERVICE_UNAVAILABLE,
        },
        // A limit is met by what was asked for; a mistake in a file is not the caller's.
        ReadError::Broken(broken) if broken.is_limit() => StatusCode::UNPROCESSABLE_ENTITY,
        ReadError::Broken(_) => StatusCode::INTERNAL_SERVER_ERROR,
        ReadError::BrokenMain(_) => match kind {
            RouteKind::Environment => StatusCode::NOT_FOUND,
            RouteKind::File => StatusCode::INTERNAL_SERVER_ERROR,
        },
        ReadError::Empty(_) | ReadError::NoFile => StatusCode::NOT_FOUND,
        ReadError::Render(error) => match error {
            RenderError::Key { .. } | RenderError::Cycle(_) => StatusCode::BAD_REQUEST,
            RenderError::Clash { .. } => StatusCode::INTERNAL_SERVER_ERROR,
            RenderError::Limit(_) => StatusCode::UNPROCESSABLE_ENTITY,
        },
        ReadError::Placeholder(error) => match (error, kind) {
            (PlaceholderError::Cycle(_), RouteKind::Environment) => StatusCode::BAD_REQUEST,
            (PlaceholderError::Cycle(_), RouteKind::File) => StatusCode::INTERNAL_SERVER_ERROR,
            (PlaceholderError::Limit(_), _) => StatusCode::UNPROCESSABLE_ENTITY,
        },
        ReadError::TooLarge { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        ReadError::Cipher(_) | ReadError::Failed => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::document::Fault;
    use crate::engine::resolve::Broken;
    use std::time::Duration;

    fn broken(limit: Option<&'static str>) -> ReadError {
        ReadError::Broken(Broken::File {
            path: "orders.yml".into(),
            fault: Fault {
                line: 3,
                column: 5,
                message: "a tab".to_owned(),
                limit,
            },
        })
    }

    #[test]
    fn every_failure_has_its_status() {
        use RouteKind::{Environment, File};
        let behind = ViewError::Behind {
            wanted: Some("a".repeat(40).parse().expect("a commit")),
            retry_after: Duration::from_secs(2),
        };
        for (error, kind, want) in [
            (
                ReadError::View(ViewError::UnknownLabel("x".to_owned())),
                Environment,
                404,
            ),
            (
                ReadError::View(ViewError::Unreachable("x".to_owned())),
                Environment,
                503,
            ),
            (ReadError::View(ViewError::Refused("x".to_owned())), Environment, 400),
            (ReadError::View(behind), Environment, 503),
            (broken(None), Environment, 500),
            (broken(Some("config-bus.limits.depth")), Environment, 422),
            (ReadError::Empty("x".to_owned()), Environment, 404),
            (ReadError::Render(RenderError::Cycle("x".to_owned())), Environment, 400),
            (
                ReadError::Placeholder(PlaceholderError::Cycle("x".to_owned())),
                File,
                500,
            ),
            (ReadError::NoFile, File, 404),
            (ReadError::Failed, Environment, 500),
        ] {
            let response = answer(&error, kind, |error| error.status.into_response());
            assert_eq!(response.status().as_u16(), want, "{error}");
        }
    }

    #[test]
    fn a_broken_file_is_named_with_line_and_column() {
        assert_eq!(broken(None).to_string(), "orders.yml: line 3, column 5: a tab");
    }
}
