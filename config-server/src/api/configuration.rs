//! Spring's configuration routes: environments, merged formats, plain files.
//!
//! One handler behind one path grammar ([`path`](super::path)) instead of a family of routes:
//! Spring's patterns overlap, and which one wins depends on the method, the query and what is
//! accepted.

use std::sync::Arc;

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use contract::AtLeast;
use contract::headers::AT_LEAST;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use tokio::time::Instant;

use super::accept::{Accepted, FileType};
use super::crypto::{self, CryptoAnswer, Posted};
use super::failure::{self, RouteKind};
use super::parameters::Parameters;
use super::path::{Asked, Crypto, Route, parse};
use super::ready::{self, ReadyReplies};
use super::reply::Reply;
use super::spring_error::SpringError;
use crate::engine::cipher::Keys;
use crate::engine::query::{Query, Rules};
use crate::engine::render::Merged;
use crate::read::{Charset, Content, Form, ReadError, Reader};

/// What a refused client is told that it could accept.
const ENVIRONMENT_TYPES: &str = "application/vnd.spring-cloud.config-server.v2+json, application/json";

/// What the configuration routes are made of.
#[derive(Debug, Clone)]
pub struct Configuration {
    pub reader: Arc<Reader>,
    /// In front of the reader, for requests that were answered just now.
    pub ready: Arc<ReadyReplies>,
    pub keys: Arc<Keys>,
    pub rules: Rules,
    /// Bytes of a request's body.
    pub body_limit: usize,
    /// `spring.cloud.config.server.prefix`; stands before every route of this handler.
    pub prefix: Arc<str>,
}

/// A request as these routes see it.
struct Asking<'r> {
    /// As it stands in the request line, for error documents.
    path: &'r str,
    headers: &'r HeaderMap,
    parameters: Parameters<'r>,
    accepted: Option<Accepted>,
}

/// Name, profiles and label as they stand in the URL, decoded once.
struct Whom<'u> {
    name: &'u str,
    profiles: &'u str,
    label: Option<&'u str>,
}

/// Why a request is not answered with configuration.
enum Refusal {
    NoRoute,
    /// Without a word, as the stock server does.
    NoFile,
    BadRequest(String),
    NotAcceptable,
    Read(ReadError, RouteKind),
}

/// Answers a request that no other route takes.
pub async fn answer(State(configuration): State<Configuration>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let asking = Asking::of(&head);
    let route = configuration.route(&asking, &head.method);
    match (allowed(&route), &head.method) {
        (None, _) => {}
        (Some(allowed), &Method::OPTIONS) => return options(allowed),
        (Some(allowed), method) if !allowed.contains(method) => return asking.method_not_allowed(allowed),
        (Some(_), _) => {}
    }
    if let Route::Crypto(crypto) = &route {
        return configuration.crypto(&asking, crypto, body).await;
    }
    let generation = configuration.reader.generation();
    match configuration.reply(&asking, &route).await {
        Ok(reply) => configuration.give(Arc::new(reply), generation, &head),
        Err(refusal) => asking.refuse(&refusal),
    }
}

impl Configuration {
    /// The reply to a request like one that was answered a moment ago.
    #[must_use]
    pub fn ready(&self, uri: &Uri, headers: &HeaderMap, now: Instant) -> Option<Response> {
        let (generation, asked) = (self.reader.generation()?, ready::Asked::of(uri, headers)?);
        let reply = self.ready.find(&asked, generation, now)?;
        Some(reply.to(headers))
    }

    /// Gives `reply`, and keeps it for requests like this one.
    fn give(&self, reply: Arc<Reply>, generation: Option<u64>, head: &Parts) -> Response {
        let response = reply.to(&head.headers);
        if let (Some(generation), Some(asked)) = (generation, ready::Asked::of(&head.uri, &head.headers)) {
            self.ready.keep(&asked, generation, Instant::now(), reply);
        }
        response
    }

    fn route(&self, asking: &Asking<'_>, method: &Method) -> Route {
        let asked = Asked {
            default_label: asking.parameters.default_label(),
            post: method == Method::POST,
        };
        within(&self.prefix, asking.path).map_or(Route::NotFound, |path| parse(path, asked))
    }

    async fn reply(&self, asking: &Asking<'_>, route: &Route) -> Result<Reply, Refusal> {
        match route {
            Route::NotFound | Route::Crypto(_) => Err(Refusal::NoRoute),
            Route::BadRequest => Err(Refusal::BadRequest("the path cannot be read".to_owned())),
            Route::Environment { name, profiles, label } => {
                let whom = Whom::new(name, profiles, label.as_deref());
                self.environment(asking, whom).await
            }
            Route::Merged {
                form,
                name,
                profiles,
                label,
            } => {
                let whom = Whom::new(name, profiles, label.as_deref());
                self.merged(asking, whom, *form).await
            }
            Route::File {
                name,
                profiles,
                label,
                path,
            } => {
                let whom = Whom::new(name, profiles, label.as_deref());
                self.file(asking, whom, path).await
            }
        }
    }

    /// `/{name}/{profiles}[/{label}]`
    async fn environment(&self, asking: &Asking<'_>, whom: Whom<'_>) -> Result<Reply, Refusal> {
        let Some(form) = asking.accepted.as_ref().and_then(Accepted::environment) else {
            // With a label the stock server takes it for the file route, with an empty path.
            return Err(if whom.label.is_some() {
                Refusal::NoFile
            } else {
                Refusal::NotAcceptable
            });
        };
        let (query, at_least) = (whom.query(&self.rules)?, asking.at_least()?);
        let origins = form.origins;
        let served = self.reader.read(query, Form::Environment { origins }, &at_least);
        let served = served
            .await
            .map_err(|error| Refusal::Read(error, RouteKind::Environment))?;
        Ok(Reply::new(&served, &form.content_type))
    }

    /// `[/{label}]/{name}-{profiles}.{extension}`; what is accepted does not matter.
    async fn merged(&self, asking: &Asking<'_>, whom: Whom<'_>, form: Merged) -> Result<Reply, Refusal> {
        let wanted = Form::Merged {
            form,
            resolve_placeholders: asking.resolve_placeholders()?,
        };
        let (query, at_least) = (whom.query(&self.rules)?, asking.at_least()?);
        let served = self.reader.read(query, wanted, &at_least).await;
        let served = served.map_err(|error| Refusal::Read(error, RouteKind::Environment))?;
        let content_type = match form {
            Merged::Json => "application/json",
            Merged::Yaml | Merged::Properties => "text/plain",
        };
        Ok(Reply::new(&served, content_type))
    }

    /// `/{name}/{profiles}/{label}/{path..}`
    async fn file(&self, asking: &Asking<'_>, whom: Whom<'_>, path: &str) -> Result<Reply, Refusal> {
        let accepted = asking.accepted.as_ref().ok_or(Refusal::NotAcceptable)?;
        let nothing = path.trim_matches('/').is_empty();
        // A list of labels is one label here, and none is called so.
        if nothing || whom.label.is_some_and(|label| label.contains(',')) {
            return Err(Refusal::NoFile);
        }
        let (query, at_least) = (whom.query(&self.rules)?, asking.at_least()?);
        let path = Query::file_path(path).map_err(|veto| Refusal::BadRequest(veto.to_string()))?;
        let (content, content_type) = match accepted.file() {
            FileType::Binary => (Content::Bytes, "application/octet-stream".to_owned()),
            FileType::Text(content_type) => (asking.text()?, content_type),
        };
        let served = self.reader.read(query, Form::File { path, content }, &at_least);
        let served = served.await.map_err(|error| Refusal::Read(error, RouteKind::File))?;
        Ok(Reply::new(&served, &content_type))
    }
}

impl Configuration {
    /// `/encrypt`, `/decrypt`, `/key`
    async fn crypto(&self, asking: &Asking<'_>, asked: &Crypto, body: Body) -> Response {
        let Ok(body) = to_bytes(body, self.body_limit).await else {
            return asking.say(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large");
        };
        let posted = Posted {
            content_type: asking
                .headers
                .get(header::CONTENT_TYPE)
                .and_then(|value| value.to_str().ok()),
            body: &body,
        };
        match crypto::answer(&self.keys, &self.rules, asked, posted, &mut random) {
            CryptoAnswer::Text(text) => ([(header::CONTENT_TYPE, "text/plain;charset=UTF-8")], text).into_response(),
            CryptoAnswer::Status(status, document) => (status, Json(document)).into_response(),
            CryptoAnswer::Error(error) => asking.respond(&error),
        }
    }
}

impl<'u> Whom<'u> {
    fn new(name: &'u str, profiles: &'u str, label: Option<&'u str>) -> Self {
        Self { name, profiles, label }
    }

    fn query(&self, rules: &Rules) -> Result<Query, Refusal> {
        Query::new(self.name, self.profiles, self.label, rules).map_err(|veto| Refusal::BadRequest(veto.to_string()))
    }
}

impl<'r> Asking<'r> {
    fn of(head: &'r Parts) -> Self {
        let accepted = head.headers.get_all(header::ACCEPT).iter().map(HeaderValue::as_bytes);
        Self {
            path: head.uri.path(),
            headers: &head.headers,
            parameters: Parameters::of(head.uri.query()),
            accepted: Accepted::parse(accepted).ok(),
        }
    }
    fn at_least(&self) -> Result<Vec<AtLeast>, Refusal> {
        let Some(value) = self.headers.get(AT_LEAST) else {
            return Ok(Vec::new());
        };
        let list = value.to_str().ok().and_then(|text| AtLeast::list(text).ok());
        list.ok_or_else(|| Refusal::BadRequest("`X-Config-At-Least` is no list of commit ids".to_owned()))
    }

    fn resolve_placeholders(&self) -> Result<bool, Refusal> {
        let refusal = || Refusal::BadRequest("`resolvePlaceholders` is `true` or `false`".to_owned());
        self.parameters.resolve_placeholders().ok_or_else(refusal)
    }

    fn text(&self) -> Result<Content, Refusal> {
        let charset = self
            .headers
            .get(header::ACCEPT_CHARSET)
            .and_then(|value| value.to_str().ok());
        Ok(Content::Text {
            charset: charset.map(Charset::named).unwrap_or_default(),
            resolve_placeholders: self.resolve_placeholders()?,
        })
    }

    fn refuse(&self, refusal: &Refusal) -> Response {
        match refusal {
            Refusal::NoRoute => self.say(StatusCode::NOT_FOUND, "there is no such route"),
            Refusal::NoFile => StatusCode::NOT_FOUND.into_response(),
            Refusal::BadRequest(message) => self.say(StatusCode::BAD_REQUEST, message),
            Refusal::NotAcceptable => {
                let mut response = self.say(
                    StatusCode::NOT_ACCEPTABLE,
                    "none of the accepted media types can be given",
                );
                let types = HeaderValue::from_static(ENVIRONMENT_TYPES);
                response.headers_mut().insert(header::ACCEPT, types);
                response
            }
            Refusal::Read(error, kind) => failure::answer(error, *kind, |error| self.respond(error)),
        }
    }

    fn say(&self, status: StatusCode, message: &str) -> Response {
        self.respond(&SpringError::new(status, message))
    }

    fn respond(&self, error: &SpringError) -> Response {
        let everything = Accepted::default();
        error.answer(self.path, self.accepted.as_ref().unwrap_or(&everything))
    }

    fn method_not_allowed(&self, allowed: &[Method]) -> Response {
        let mut response = self.say(StatusCode::METHOD_NOT_ALLOWED, "the method is not for this route");
        response.headers_mut().insert(header::ALLOW, list(&allowed[..1]));
        response
    }
}

fn random(bytes: &mut [u8]) {
    aws_lc_rs::rand::fill(bytes).expect("the system has randomness");
}

/// The path below `prefix`.
fn within<'p>(prefix: &str, path: &'p str) -> Option<&'p str> {
    let rest = path.strip_prefix(prefix)?;
    rest.starts_with('/').then_some(rest)
}

/// The methods of a route, the one that it is meant for first; `None` where there is no route.
fn allowed(route: &Route) -> Option<&'static [Method]> {
    match route {
        Route::NotFound | Route::BadRequest => None,
        Route::Crypto(Crypto::Encrypt { .. } | Crypto::Decrypt { .. }) => Some(&[Method::POST]),
        Route::Crypto(Crypto::Key { .. } | Crypto::Status)
        | Route::Environment { .. }
        | Route::Merged { .. }
        | Route::File { .. } => Some(&[Method::GET, Method::HEAD]),
    }
}

fn options(allowed: &[Method]) -> Response {
    let all = [allowed, &[Method::OPTIONS]].concat();
    (StatusCode::OK, [(header::ALLOW, list(&all))]).into_response()
}

fn list(methods: &[Method]) -> HeaderValue {
    let names = methods.iter().map(Method::as_str).collect::<Vec<_>>().join(",");
    HeaderValue::try_from(names).expect("method names are visible")
}
