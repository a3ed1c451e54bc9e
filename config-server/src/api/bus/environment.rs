//! `POST /actuator/busenv[/{destination}]`: set one property in every application it reaches.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use contract::{Destination, EventKind};
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::body::Body;
use super::destination::Parameters;
use super::failure::JournalFailure;
use super::{BusState, spring_error};
use crate::store::Cause;

/// What the stock server reads, as it says itself in a 415.
const READABLE: &str =
    "application/vnd.spring-boot.actuator.v3+json, application/vnd.spring-boot.actuator.v2+json, application/json";

/// Why a body names no property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refused {
    MediaType,
    Body(&'static str),
}

pub(super) async fn busenv(
    state: State<BusState>,
    parameters: Parameters,
    uri: Uri,
    headers: HeaderMap,
    Body(body): Body,
) -> Response {
    change(&state, parameters.destination, property(&headers, &body))
        .await
        .unwrap_or_else(|refused| refused.answer(&uri, &headers))
}

async fn change(
    state: &BusState,
    destination: Destination,
    property: Result<(String, String), Refused>,
) -> Result<Response, Refused> {
    let (name, value) = property?;
    let kind = EventKind::EnvironmentChange(IndexMap::from([(name, Some(value))]));
    let announced = state.change.announce(destination, kind, Cause::Operator).await;
    Ok(match announced {
        Ok(_) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => JournalFailure::from(error).into_response(),
    })
}

/// The one pair of the body. As Spring binds it: every member is a text, a number or a boolean, and
/// further ones do not matter.
fn property(headers: &HeaderMap, body: &[u8]) -> Result<(String, String), Refused> {
    if !is_readable(headers) {
        return Err(Refused::MediaType);
    }
    let members: Map<String, Value> =
        serde_json::from_slice(body).map_err(|_| Refused::Body("the body is not a JSON object"))?;
    if members.values().any(|value| value.is_object() || value.is_array()) {
        return Err(Refused::Body("the body has members inside members"));
    }
    let name = scalar(&members, "name").filter(|name| !name.is_empty());
    let name = name.ok_or(Refused::Body("the member `name` is missing"))?;
    let value = scalar(&members, "value").ok_or(Refused::Body("the member `value` is missing"))?;
    Ok((name, value))
}

fn scalar(members: &Map<String, Value>, name: &str) -> Option<String> {
    match members.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Null => None,
        other => Some(other.to_string()),
    }
}

fn is_readable(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = content_type.and_then(|text| text.split(';').next()).unwrap_or_default();
    READABLE
        .split(", ")
        .any(|readable| media_type.trim().eq_ignore_ascii_case(readable))
}

impl Refused {
    fn answer(self, uri: &Uri, headers: &HeaderMap) -> Response {
        match self {
            Self::Body(wrong) => spring_error(StatusCode::BAD_REQUEST, wrong, uri, headers),
            Self::MediaType => {
                let mut response = spring_error(StatusCode::UNSUPPORTED_MEDIA_TYPE, "", uri, headers);
                response
                    .headers_mut()
                    .insert(header::ACCEPT, HeaderValue::from_static(READABLE));
                response
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(content_type: Option<&'static str>, body: &str, expected: Result<(&str, &str), Refused>) {
        let headers = content_type.map(|value| (header::CONTENT_TYPE, HeaderValue::from_static(value)));
        let read = property(&headers.into_iter().collect(), body.as_bytes());
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        match (&read, &expected) {
            (Err(Refused::Body(_)), Err(Refused::Body(_))) => {}
            _ => assert_eq!(read, expected, "{content_type:?} {body}"),
        }
    }

    #[test]
    fn bodies_are_read_as_the_recorded_calls_show() {
        let json = Some("application/json");
        check(json, r#"{"name":"demo.extra","value":"x1"}"#, Ok(("demo.extra", "x1")));
        check(json, r#"{"name":"demo.num","value":3}"#, Ok(("demo.num", "3")));
        check(json, r#"{"name":"demo.flag","value":true}"#, Ok(("demo.flag", "true")));
        check(json, r#"{"name":"demo.blank","value":""}"#, Ok(("demo.blank", "")));
        check(
            json,
            r#"{"name":"demo.x","value":"y","other":"z"}"#,
            Ok(("demo.x", "y")),
        );
        check(
            Some("application/vnd.spring-boot.actuator.v3+json"),
            r#"{"name":"a","value":"y2"}"#,
            Ok(("a", "y2")),
        );
        for body in [
            r#"{"name":"demo.nil","value":null}"#,
            r#"{"name":"demo.x"}"#,
            r#"{"value":"x"}"#,
            r#"{"name":"demo.x","value":{"a":1}}"#,
            "[]",
            "{",
            "",
        ] {
            check(json, body, Err(Refused::Body("")));
        }
        check(
            Some("text/plain"),
            r#"{"name":"demo.x","value":"y"}"#,
            Err(Refused::MediaType),
        );
        check(None, "", Err(Refused::MediaType));
    }
}
