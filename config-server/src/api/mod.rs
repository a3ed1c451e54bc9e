//! Answers over HTTP.
//!
//! - [`routes`]: every route on one screen
//! - [`path`], [`parameters`]: what a URL of Spring's asks for; [`accept`]: in which media type
//! - [`configuration`]: Spring's configuration routes; [`reply`], [`failure`]: their answers;
//!   [`ready`]: those given a moment ago
//! - [`spring_error`], [`problem`]: what is said when something is wrong, on Spring's routes and on
//!   those config-bus adds
//! - [`bus`]: the routes of the bus, and the door for webhooks
//! - [`crypto`]: the answers of `/encrypt`, `/decrypt` and `/key`
//! - [`authentication`], [`observe`]: what happens to every request on its way

pub mod routes;

pub mod accept;
pub mod parameters;
pub mod path;

pub mod configuration;
pub mod failure;
pub mod ready;
pub mod reply;

pub mod problem;
pub mod spring_error;

pub mod bus;
pub mod crypto;

pub mod authentication;
pub mod observe;

use axum::extract::Request;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use accept::Accepted;
use spring_error::SpringError;

/// What a request accepts. A header that cannot be read accepts everything: this is for answers
/// that must be given anyway.
fn accepted(headers: &HeaderMap) -> Accepted {
    let values = headers.get_all(header::ACCEPT).iter().map(HeaderValue::as_bytes);
    Accepted::parse(values).unwrap_or_default()
}

/// 405 in Spring's words; the methods that are for the route are added by the router.
async fn method_not_allowed(request: Request) -> Response {
    let error = SpringError::new(StatusCode::METHOD_NOT_ALLOWED, "the method is not for this route");
    error.answer(request.uri().path(), &accepted(request.headers()))
}
