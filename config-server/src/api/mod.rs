//! Answers over HTTP.
//!
//! - [`path`]: what a path of Spring's routes asks for
//! - [`accept`]: which media type a request gets
//! - [`spring_error`], [`problem`]: what is said when something is wrong, on Spring's routes and on
//!   those config-bus adds
//! - [`bus`]: the routes of the bus, and the door for webhooks
//! - [`authentication`], [`observe`]: what happens to every request on its way

pub mod path;

pub mod accept;
pub mod problem;
pub mod spring_error;

pub mod bus;

pub mod authentication;
pub mod observe;

use http::{HeaderMap, header};

use accept::Accepted;

/// What a request accepts. A header that cannot be read accepts everything: this is for answers
/// that must be given anyway.
fn accepted(headers: &HeaderMap) -> Accepted {
    let values = headers.get_all(header::ACCEPT).iter().map(http::HeaderValue::as_bytes);
    Accepted::parse(values).unwrap_or_default()
}
