//! One call, read as a form or as JSON.

use http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value};
use thiserror::Error;
use url::form_urlencoded;

const FORM: &str = "application/x-www-form-urlencoded";

/// A call as it came in.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    pub headers: &'a HeaderMap,
    pub query: Option<&'a str>,
    pub body: &'a [u8],
}

/// A call that could be read.
#[derive(Debug)]
pub struct Told<'a> {
    pub headers: &'a HeaderMap,
    pub content: Content,
}

/// What a call says.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// The `path` parameters of a form.
    Form(Vec<String>),
    /// The members of a JSON object.
    Json(Map<String, Value>),
}

/// Why a call cannot be read. The body is not repeated.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// A form has to name a path.
    #[error("the form has no parameter `path`")]
    NoPath,
    /// The body is not JSON.
    #[error("the body is not JSON")]
    NotJson(#[source] serde_json::Error),
    /// The body is JSON, but no object.
    #[error("the body is not a JSON object")]
    NotAnObject,
    /// The body is of another type.
    #[error("the body is neither JSON nor a form")]
    MediaType,
}

impl<'a> Call<'a> {
    /// Reads the body by its content type; without one it is taken for JSON.
    ///
    /// # Errors
    /// [`Unreadable`] says what is wrong with the body.
    pub fn read(&self) -> Result<Told<'a>, Unreadable> {
        let content = match self.media_type().as_str() {
            FORM => Content::Form(self.form()?),
            "" | "application/json" => Content::Json(self.json()?),
            other if other.starts_with("application/") && other.ends_with("+json") => Content::Json(self.json()?),
            _ => return Err(Unreadable::MediaType),
        };
        let headers = self.headers;
        Ok(Told { headers, content })
    }

    fn media_type(&self) -> String {
        let value = self
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let media_type = value.unwrap_or_default().split(';').next().unwrap_or_default();
        media_type.trim().to_ascii_lowercase()
    }

    /// As Spring binds a list: a single value is split at its commas, several are taken as they are.
    fn form(&self) -> Result<Vec<String>, Unreadable> {
        let query = form_urlencoded::parse(self.query.unwrap_or_default().as_bytes());
        let all = query.chain(form_urlencoded::parse(self.body));
        let paths: Vec<String> = all
            .filter(|(name, _)| name == "path")
            .map(|(_, value)| value.into_owned())
            .collect();
        match paths.as_slice() {
            [] => Err(Unreadable::NoPath),
            [only] => Ok(only
                .split(',')
                .map(str::trim)
                .filter(|path| !path.is_empty())
                .map(str::to_owned)
                .collect()),
            _ => Ok(paths),
        }
    }

    fn json(&self) -> Result<Map<String, Value>, Unreadable> {
        match serde_json::from_slice(self.body).map_err(Unreadable::NotJson)? {
            Value::Object(members) => Ok(members),
            _ => Err(Unreadable::NotAnObject),
        }
    }
}

impl Told<'_> {
    /// Whether the header `name` is there with exactly this value.
    #[must_use]
    pub fn header_is(&self, name: &str, value: &str) -> bool {
        self.headers
            .get_all(name)
            .iter()
            .any(|own| own.as_bytes() == value.as_bytes())
    }

    /// Whether the header `name` is there and says anything.
    #[must_use]
    pub fn has_header(&self, name: &str) -> bool {
        self.headers.get(name).is_some_and(|value| !value.is_empty())
    }
}

impl Unreadable {
    /// What the stock server answers.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NoPath | Self::NotJson(_) | Self::NotAnObject => StatusCode::BAD_REQUEST,
        }
    }
}
