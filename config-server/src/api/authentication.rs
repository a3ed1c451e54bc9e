//! Basic authentication by `spring.security.user.*`.
//!
//! As with Spring Boot's own defaults every route asks for it but the health endpoint; the probes
//! `/live` and `/ready` tell no more and are open too. Unlike Spring Security's default there is no
//! CSRF check, which would refuse every `POST` of the bus and of `/encrypt`.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Digest, SHA256, digest};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use std::sync::Arc;

use super::spring_error::SpringError;
use crate::api::accepted;
use crate::settings::http::User;

/// Who may come in. Only a digest of the credentials is kept.
#[derive(Clone)]
pub struct Guard {
    credentials: Option<Digest>,
    open: Arc<[String]>,
}

impl Guard {
    /// Lets `user` in, or everybody when there is none. Paths in `open`, and below them, are for
    /// everybody.
    #[must_use]
    pub fn new(user: Option<&User>, open: Vec<String>) -> Self {
        let credentials = user.map(|user| {
            let password = user.password.expose();
            digest(&SHA256, format!("{}:{password}", user.name).as_bytes())
        });
        Self {
            credentials,
            open: open.into(),
        }
    }

    /// Whether the caller has shown that it is the user, where there is one.
    #[must_use]
    pub fn knows(&self, headers: &HeaderMap) -> bool {
        let Some(expected) = &self.credentials else {
            return true;
        };
        presented(headers).is_some_and(|given| same(&given, expected))
    }

    fn is_open(&self, path: &str) -> bool {
        let within = |open: &String| {
            path.strip_prefix(open.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.open.iter().any(within)
    }
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard")
            .field("open", &self.open)
            .finish_non_exhaustive()
    }
}

/// Lets a request pass, or answers 401.
pub async fn require(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    if guard.is_open(request.uri().path()) || guard.knows(request.headers()) {
        return next.run(request).await;
    }
    let error = SpringError::new(StatusCode::UNAUTHORIZED, "credentials are required, and must be right");
    let mut response = error.answer(request.uri().path(), &accepted(request.headers()));
    let challenge = HeaderValue::from_static("Basic realm=\"Realm\", charset=\"UTF-8\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    response
}

/// The digest of `user:password` as presented.
fn presented(headers: &HeaderMap) -> Option<Digest> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, encoded) = value.split_at_checked("Basic ".len())?;
    if !scheme.eq_ignore_ascii_case(b"Basic ") {
        return None;
    }
    let credentials = STANDARD.decode(encoded.trim_ascii()).ok()?;
    Some(digest(&SHA256, &credentials))
}

/// In constant time: digests of equal length whatever was presented.
fn same(given: &Digest, expected: &Digest) -> bool {
    verify_slices_are_equal(given.as_ref(), expected.as_ref()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::encrypt::Secret;

    fn guard() -> Guard {
        let user = User {
            name: "user".to_owned(),
            password: Secret::new("p@ss:wörd".to_owned()),
        };
        Guard::new(Some(&user), vec!["/actuator/health".to_owned()])
    }

    fn admits(guard: &Guard, path: &str, authorization: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        if let Some(text) = authorization {
            headers.insert(header::AUTHORIZATION, HeaderValue::from_str(text).expect("visible"));
        }
        guard.is_open(path) || guard.knows(&headers)
    }

    #[test]
    fn only_the_right_credentials_are_let_in() {
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
        assert!(admits(&guard(), "/foo/dev", Some(&basic("user:p@ss:wörd"))));
        assert!(admits(
            &guard(),
            "/foo/dev",
            Some(&basic("user:p@ss:wörd").replace("Basic", "basic"))
        ));
        for wrong in [
            basic("user:p@ss"),
            basic(":"),
            "Basic !".to_owned(),
            "Bearer x".to_owned(),
            String::new(),
        ] {
            assert!(!admits(&guard(), "/foo/dev", Some(&wrong)), "{wrong}");
        }
        assert!(!admits(&guard(), "/foo/dev", None));
    }

    #[test]
    fn health_is_open_and_what_only_looks_like_it_is_not() {
        assert!(admits(&guard(), "/actuator/health", None));
        assert!(admits(&guard(), "/actuator/health/liveness", None));
        assert!(!admits(&guard(), "/actuator/healthy", None));
        assert!(!admits(&guard(), "/actuator/env", None));
    }

    #[test]
    fn without_a_user_any_header_is_harmless() {
        assert!(admits(&Guard::new(None, Vec::new()), "/foo/dev", Some("Basic Og==")));
    }
}
