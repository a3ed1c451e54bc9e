//! Who runs what: `GET /bus/agents`, a page at a time.

use std::convert::Infallible;

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::response::{IntoResponse, Response};
use contract::headers::TOTAL;
use http::request::Parts;
use http::{HeaderValue, header};
use url::form_urlencoded;

use super::BusState;
use crate::api::problem::{Problem, ProblemKind};
use crate::change::clock;
use crate::change::delivery::{Drift, Page, Standing, Wanted};

/// Agents on a page when nothing is said: some 400 kB.
const USUAL: usize = 1_000;
/// Agents on a page at most.
const MOST: usize = 10_000;

/// The query as it was written.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked {
    application: Option<String>,
    state: Option<String>,
    after: Option<String>,
    limit: Option<String>,
}

/// `GET /bus/agents?application=&state=&limit=&after=`
pub(super) async fn agents(state: State<BusState>, asked: Asked) -> Response {
    match asked.wanted() {
        Ok(wanted) => answer(state.change.delivery().page(&wanted, clock::now()), &asked),
        Err(wrong) => Problem::new(ProblemKind::BadRequest, wrong).into_response(),
    }
}

/// `GET /bus/agents/drift`
pub(super) async fn drift(state: State<BusState>) -> Json<Vec<Drift>> {
    Json(state.change.delivery().drift(clock::now()))
}

/// The list itself is the body: what is to be known of the page stands in the head.
fn answer(page: Page, asked: &Asked) -> Response {
    let next = match page.agents.last() {
        Some(last) if page.more > 0 => Some(asked.next(last.bus_id.as_str())),
        _ => None,
    };
    let mut response = Json(page.agents).into_response();
    let headers = response.headers_mut();
    headers.insert(TOTAL, page.total.into());
    // A form-encoded query is ASCII.
    if let Some(next) = next.and_then(|next| HeaderValue::try_from(next).ok()) {
        headers.insert(header::LINK, next);
    }
    response
}

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::read(parts.uri.query().unwrap_or_default()))
    }
}

impl Asked {
    fn read(query: &str) -> Self {
        let first = |wanted: &str| {
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            let found = pairs.find(|(name, _)| name == wanted)?;
            Some(found.1.into_owned())
        };
        Self {
            application: first("application"),
            state: first("state"),
            after: first("after"),
            limit: first("limit"),
        }
    }

    fn wanted(&self) -> Result<Wanted, &'static str> {
        let standing = |name: &str| Standing::ALL.into_iter().find(|standing| standing.name() == name);
        let limit = |text: &str| text.parse().ok().filter(|limit| (1..=MOST).contains(limit));
        let state = self.state.as_deref();
        Ok(Wanted {
            application: self.application.clone(),
            standing: state
                .map(|name| standing(name).ok_or("`state` is `well`, `failed`, `vetoed`, `stopped` or `away`"))
                .transpose()?,
            after: self.after.clone(),
            limit: self
                .limit
                .as_deref()
                .map_or(Some(USUAL), limit)
                .ok_or("`limit` is a number from 1 to 10000")?,
        })
    }

    /// The link to the page after the agent `last` (RFC 8288).
    fn next(&self, last: &str) -> String {
        let said = [
            ("application", self.application.as_deref()),
            ("state", self.state.as_deref()),
            ("limit", self.limit.as_deref()),
            ("after", Some(last)),
        ];
        let said = said.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(said)
            .finish();
        format!("</bus/agents?{query}>; rel=\"next\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_wanted_is_refused() {
        for query in [
            "limit=0",
            "limit=10001",
            "limit=-1",
            "limit=",
            "limit=many",
            "state=",
            "state=WELL",
        ] {
            assert!(Asked::read(query).wanted().is_err(), "{query}");
        }
        let usual = Asked::read("unknown=1").wanted().expect("everybody");
        assert_eq!((usual.application, usual.standing, usual.limit), (None, None, USUAL));
        let some = Asked::read("application=a%20b&state=away&limit=10000&limit=1").wanted();
        let some = some.expect("some");
        assert_eq!(
            (some.application.as_deref(), some.standing, some.limit),
            (Some("a b"), Some(Standing::Away), MOST)
        );
    }

    #[test]
    fn the_next_page_is_asked_for_as_this_one_was() {
        let asked = Asked::read("state=well&application=a%26b&after=x");
        assert_eq!(
            asked.next("a&b:dev,eu:1:\u{e9}"),
            "</bus/agents?application=a%26b&state=well&after=a%26b%3Adev%2Ceu%3A1%3A%C3%A9>; rel=\"next\""
        );
    }
}
