//! Spring Boot's error document, the errors of Spring's routes (contract 1.11).

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use jiff::Timestamp;
use serde::Serialize;

use super::accept::Accepted;

/// An error answer of one of Spring's routes. The message is safe for strangers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpringError {
    pub status: StatusCode,
    pub message: String,
}

#[derive(Serialize)]
struct Document<'a> {
    timestamp: String,
    status: u16,
    error: &'a str,
    /// The stock server leaves it out unless told otherwise; ours says what is wrong.
    #[serde(skip_serializing_if = "str::is_empty")]
    message: &'a str,
    path: &'a str,
}

impl SpringError {
    #[must_use]
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }

    /// The document for a request to `path` that accepts `accepted`. Who accepts no JSON gets the
    /// status alone, as from the stock server.
    #[must_use]
    pub fn answer(&self, path: &str, accepted: &Accepted) -> Response {
        if !accepted.accepts_error_document() {
            return self.status.into_response();
        }
        let document = Document {
            timestamp: now(),
            status: self.status.as_u16(),
            error: self.status.canonical_reason().unwrap_or("Error"),
            message: &self.message,
            path,
        };
        let body = serde_json::to_vec(&document).expect("texts and a number serialise");
        let content_type = HeaderValue::try_from(accepted.error_document()).expect("a parsed media type is visible");
        (self.status, [(header::CONTENT_TYPE, content_type)], body).into_response()
    }
}

fn now() -> String {
    format!("{:.3}", Timestamp::now())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    #[tokio::test]
    async fn the_document_has_the_members_of_spring_boot_in_its_order() {
        let accepted = Accepted::default();
        let response = SpringError::new(StatusCode::NOT_FOUND, "no label `x`").answer("/foo/dev/x", &accepted);
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        let text = std::str::from_utf8(&body).expect("UTF-8");
        let (time, rest) = text
            .strip_prefix("{\"timestamp\":\"")
            .and_then(|text| text.split_once("\","))
            .expect("a time comes first");
        assert!(
            time.ends_with('Z') && time.len() == "2026-01-01T00:00:00.000Z".len(),
            "{time}"
        );
        assert_eq!(
            rest,
            r#""status":404,"error":"Not Found","message":"no label `x`","path":"/foo/dev/x"}"#
        );
    }

    #[tokio::test]
    async fn who_accepts_no_json_gets_the_status_alone() {
        let accepted = Accepted::parse([b"text/plain".as_slice()]).expect("a type");
        let response = SpringError::new(StatusCode::NOT_ACCEPTABLE, "").answer("/foo/dev", &accepted);
        assert_eq!(response.status(), StatusCode::NOT_ACCEPTABLE);
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        assert!(body.is_empty());
    }
}
