//! Whom an operator's call is meant for.

use std::time::Duration;

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use contract::Destination;
use http::request::Parts;
use url::form_urlencoded;

/// Longest time a caller may wait for reports.
const LONGEST: Duration = Duration::from_secs(300);

/// What an operator's call says in its path and its query. Others' parameters are ignored, as Spring
/// does.
#[derive(Debug, Clone)]
pub(super) struct Parameters {
    pub(super) destination: Destination,
    wait: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = PathRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, PathRejection> {
        let named = <Option<Path<String>> as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        let path = match &named {
            Some(Path(path)) => Some(path.as_str()),
            // `busrefresh/` names the empty destination, which matches nobody, as recorded.
            None if parts.uri.path().ends_with('/') => Some(""),
            None => None,
        };
        let query = parts.uri.query().unwrap_or_default();
        let first = |wanted: &str| {
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            pairs
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.into_owned())
        };
        Ok(Self {
            destination: destination(path, first("destination").as_deref()),
            wait: first("wait"),
        })
    }
}

impl Parameters {
    /// For how long the caller wants to wait: `10s`, `500ms`, `1m`, or seconds.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub(super) fn wait(&self) -> Result<Option<Duration>, &'static str> {
        self.wait.as_deref().map(duration).transpose()
    }
}

/// The segments of the path, joined with `:`; else the query's `destination`; else everybody.
///
/// The stock server ignores the query and so refreshes everybody (spring-cloud-bus contract 0,
/// fact 9): nobody who writes a destination means that.
fn destination(path: Option<&str>, query: Option<&str>) -> Destination {
    let path = path.map(|path| path.trim_end_matches('/').replace('/', ":"));
    Destination::normalised(path.as_deref().or(query))
}

fn duration(text: &str) -> Result<Duration, &'static str> {
    const WRONG: &str = "`wait` is a time such as `10s`, `500ms` or `1m`";
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u32 = number.parse().map_err(|_| WRONG)?;
    let unit = match unit {
        "ms" => Duration::from_millis(1),
        "s" | "" => Duration::from_secs(1),
        "m" => Duration::from_secs(60),
        _ => return Err(WRONG),
    };
    let wait = unit * number;
    if wait > LONGEST {
        return Err("`wait` is at most `5m`");
    }
    Ok(wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(path: Option<&str>, query: Option<&str>) -> String {
        destination(path, query).to_string()
    }

    #[test]
    fn destinations_are_made_as_the_recorded_calls_show() {
        for (path, expected) in [
            ("demo-client", "demo-client:**"),
            ("demo-client/dev", "demo-client:dev:**"),
            ("demo-client:**", "demo-client:**"),
            ("demo-client:dev", "demo-client:dev:**"),
            ("demo-client:dev:8080", "demo-client:dev:8080"),
            ("demo-client/dev/8080", "demo-client:dev:8080"),
            ("*", "*:**"),
            ("**", "**"),
            ("demo*", "demo*:**"),
            ("demo-client:dev,cloud", "demo-client:dev,cloud:**"),
            ("", ":**"),
        ] {
            assert_eq!(sent(Some(path), None), expected, "{path}");
        }
    }

    #[test]
    fn a_destination_in_the_query_is_meant() {
        assert_eq!(sent(None, None), "**");
        assert_eq!(sent(None, Some("orders")), "orders:**");
        assert_eq!(sent(Some("stock"), Some("orders")), "stock:**");
    }

    #[test]
    fn times_have_a_unit_or_are_seconds() {
        for (text, expected) in [
            ("10s", Ok(Duration::from_secs(10))),
            ("10", Ok(Duration::from_secs(10))),
            ("500ms", Ok(Duration::from_millis(500))),
            ("1m", Ok(Duration::from_secs(60))),
            ("301", Err("`wait` is at most `5m`")),
        ] {
            assert_eq!(duration(text), expected, "{text}");
        }
        for text in ["", "s", "-1s", "1.5s", "ten", "99999999999s"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
