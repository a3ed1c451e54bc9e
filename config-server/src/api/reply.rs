//! A good answer, or that there is nothing new.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use contract::headers::{HELD, LABEL, MOVE, STALE, VERSION};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use jiff::Timestamp;
use jiff::fmt::rfc2822;

use crate::read::Served;

/// A good answer, ready to be sent any number of times.
#[derive(Debug, Clone)]
pub struct Reply {
    headers: HeaderMap,
    content_type: HeaderValue,
    body: Bytes,
    tag: HeaderValue,
    modified: Option<Timestamp>,
    /// Says for how long the remote has not been reachable: true for this moment only.
    passing: bool,
}

impl Reply {
    /// What was served, as `content_type`.
    #[must_use]
    pub fn new(served: &Served, content_type: &str) -> Self {
        let answer = &served.answer;
        let modified = answer.modified.and_then(|seconds| Timestamp::from_second(seconds).ok());
        let mut headers = HeaderMap::with_capacity(9);
        headers.insert(header::ETAG, answer.tag.clone());
        // The same path is answered in several types.
        headers.insert(header::VARY, HeaderValue::from_static("accept"));
        let told = [
            (VERSION, answer.version.clone()),
            (HELD, answer.held.clone()),
            (MOVE, served.moved.as_ref().and_then(shown)),
            (LABEL, served.label.as_ref().and_then(shown)),
            (STALE, served.stale.map(|stale| HeaderValue::from(stale.as_secs()))),
            (header::LAST_MODIFIED.as_str(), modified.and_then(http_date)),
        ];
        for (name, value) in told {
            headers.extend(value.map(|value| (HeaderName::from_static(name), value)));
        }
        Self {
            headers,
            content_type: HeaderValue::try_from(content_type).expect("a media type is visible"),
            body: answer.body.clone(),
            tag: answer.tag.clone(),
            modified,
            passing: served.stale.is_some(),
        }
    }

    /// The response to a request with `asked` headers: 304 when the client has the content already.
    #[must_use]
    pub fn to(&self, asked: &HeaderMap) -> Response {
        let known = is_known(asked, &self.tag, self.modified);
        let mut response = Response::new(if known {
            Body::empty()
        } else {
            Body::from(self.body.clone())
        });
        *response.headers_mut() = self.headers.clone();
        if known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        } else {
            response
                .headers_mut()
                .insert(header::CONTENT_TYPE, self.content_type.clone());
        }
        response
    }

    /// Whether it may be sent again a moment later.
    #[must_use]
    pub fn lasts(&self) -> bool {
        !self.passing
    }

    /// Bytes it holds on to.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.body.len() + 512
    }
}

/// RFC 9110 section 13.2.2: an entity tag decides when there is one, else the time.
fn is_known(asked: &HeaderMap, tag: &HeaderValue, modified: Option<Timestamp>) -> bool {
    if asked.contains_key(header::IF_NONE_MATCH) {
        let lists = asked.get_all(header::IF_NONE_MATCH).iter();
        return lists.filter_map(|list| list.to_str().ok()).any(|list| names(list, tag));
    }
    let since = asked
        .get(header::IF_MODIFIED_SINCE)
        .and_then(|value| value.to_str().ok());
    let since = since.and_then(|text| rfc2822::DateTimeParser::new().parse_timestamp(text).ok());
    matches!((since, modified), (Some(since), Some(modified)) if modified.as_second() <= since.as_second())
}

fn names(list: &str, tag: &HeaderValue) -> bool {
    let mut items = list.split(',').map(str::trim);
    items.any(|item| item == "*" || item.strip_prefix("W/").unwrap_or(item).as_bytes() == tag.as_bytes())
}

/// A text that no header can hold is left out.
fn shown(told: &impl ToString) -> Option<HeaderValue> {
    HeaderValue::try_from(told.to_string()).ok()
}

fn http_date(time: Timestamp) -> Option<HeaderValue> {
    let text = rfc2822::DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&time)
        .ok()?;
    HeaderValue::try_from(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::Answer;
    use std::sync::Arc;
    use std::time::Duration;

    fn served() -> Served {
        Served {
            answer: Arc::new(Answer {
                body: "a: 1\n".into(),
                tag: HeaderValue::from_static("\"abc\""),
                version: Some(HeaderValue::from_static("f00")),
                held: None,
                modified: Some(1_700_000_000),
            }),
            moved: Some("log-7".parse().expect("a move")),
            label: Some("main".parse().expect("a label")),
            stale: Some(Duration::from_secs(61)),
        }
    }

    fn asked(name: HeaderName, value: &str) -> Response {
        let headers = HeaderMap::from_iter([(name, HeaderValue::from_str(value).expect("visible"))]);
        Reply::new(&served(), "text/plain").to(&headers)
    }

    #[test]
    fn the_version_is_told_with_and_without_a_body() {
        let fresh = Reply::new(&served(), "text/plain").to(&HeaderMap::new());
        let known = asked(header::IF_NONE_MATCH, "\"abc\"");
        assert_eq!((fresh.status().as_u16(), known.status().as_u16()), (200, 304));
        for response in [&fresh, &known] {
            assert_eq!(response.headers()[VERSION], "f00");
            assert_eq!(response.headers()[LABEL], "main");
            assert_eq!(response.headers()[MOVE], "log-7");
            assert_eq!(response.headers()[LABEL], "main");
            assert_eq!(response.headers()[STALE], "61");
            assert_eq!(
                response.headers()[header::LAST_MODIFIED],
                "Tue, 14 Nov 2023 22:13:20 GMT"
            );
        }
        assert!(!known.headers().contains_key(header::CONTENT_TYPE));
    }

    #[test]
    fn a_tag_decides_before_a_time() {
        for (name, value, want) in [
            (header::IF_NONE_MATCH, "\"x\", W/\"abc\"", 304),
            (header::IF_NONE_MATCH, "*", 304),
            (header::IF_NONE_MATCH, "\"x\"", 200),
            (header::IF_MODIFIED_SINCE, "Fri, 01 Jan 2100 00:00:00 GMT", 304),
            (header::IF_MODIFIED_SINCE, "Tue, 14 Nov 2023 22:13:20 GMT", 304),
            (header::IF_MODIFIED_SINCE, "Tue, 14 Nov 2023 22:13:19 GMT", 200),
            (header::IF_MODIFIED_SINCE, "yesterday", 200),
        ] {
            assert_eq!(asked(name.clone(), value).status().as_u16(), want, "{name}: {value}");
        }
        let both = HeaderMap::from_iter([
            (header::IF_NONE_MATCH, HeaderValue::from_static("\"x\"")),
            (
                header::IF_MODIFIED_SINCE,
                HeaderValue::from_static("Fri, 01 Jan 2100 00:00:00 GMT"),
            ),
        ]);
        assert_eq!(Reply::new(&served(), "text/plain").to(&both).status().as_u16(), 200);
    }
}
