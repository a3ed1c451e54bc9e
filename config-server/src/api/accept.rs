//! Media types: what a request accepts, and what it gets (contract 1.4, 1.7).
//!
//! Spring sorts the accepted types by quality, then by how specific they are, and keeps the order
//! of the header among equals; the first one that a route can produce decides.

use contract::headers::ENVIRONMENT_V2;

const JSON: &str = "application/json";
const OCTET_STREAM: &str = "application/octet-stream";

/// The types of an `Accept` header, best first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted(Vec<MediaRange>);

/// The header holds something that is no media type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAMediaType;

/// How an environment is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentType {
    /// Values carry their origin.
    pub origins: bool,
    /// The answer's `Content-Type`.
    pub content_type: String,
}

/// How a plain file is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileType {
    /// As it is.
    Binary,
    /// As text in UTF-8, placeholders resolved, with this `Content-Type`.
    Text(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct MediaRange {
    kind: String,
    subtype: String,
    /// Without `q`.
    parameters: Vec<(String, String)>,
    /// Thousandths.
    quality: u16,
}

impl Default for Accepted {
    /// Everything.
    fn default() -> Self {
        Self(vec![MediaRange {
            kind: "*".to_owned(),
            subtype: "*".to_owned(),
            parameters: Vec::new(),
            quality: 1000,
        }])
    }
}

impl Accepted {
    /// Reads the values of all `Accept` headers. None at all accepts everything.
    ///
    /// # Errors
    /// [`NotAMediaType`], which a route answers with 406.
    pub fn parse<'a>(headers: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, NotAMediaType> {
        let mut ranges = Vec::new();
        for header in headers {
            let text = std::str::from_utf8(header).map_err(|_| NotAMediaType)?;
            for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
                ranges.push(MediaRange::parse(part)?);
            }
        }
        if ranges.is_empty() {
            return Ok(Self::default());
        }
        ranges.retain(|range| range.quality > 0);
        ranges.sort_by_key(|range| std::cmp::Reverse(range.rank()));
        Ok(Self(ranges))
    }

    /// The form of an environment; `None` when neither form is accepted.
    #[must_use]
    pub fn environment(&self) -> Option<EnvironmentType> {
        self.0.iter().find_map(|range| {
            let origins = range.includes(ENVIRONMENT_V2) && !range.includes(JSON);
            let acceptable = origins || range.includes(JSON);
            acceptable.then(|| EnvironmentType {
                origins,
                content_type: range.echoed(if origins { ENVIRONMENT_V2 } else { JSON }),
            })
        })
    }

    /// The form of a plain file. Bytes as they are win whenever they are named, whatever their
    /// quality.
    #[must_use]
    pub fn file(&self) -> FileType {
        if self.0.iter().any(|range| range.is(OCTET_STREAM)) {
            return FileType::Binary;
        }
        let named = self.0.iter().find(|range| range.is_concrete());
        FileType::Text(named.map_or_else(|| "text/plain;charset=UTF-8".to_owned(), MediaRange::as_text_type))
    }

    /// The type of an error document: a JSON type that was asked for by name, else plain JSON.
    #[must_use]
    pub fn error_document(&self) -> String {
        let json = |range: &&MediaRange| {
            range.kind == "application" && (range.subtype == "json" || range.subtype.ends_with("+json"))
        };
        let named = self.0.iter().find(|range| range.is_concrete() && json(range));
        named.map_or_else(|| JSON.to_owned(), |range| range.echoed(&range.name()))
    }

    /// Whether an error document may be sent at all.
    #[must_use]
    pub fn accepts_error_document(&self) -> bool {
        self.0
            .iter()
            .any(|range| range.includes(JSON) || (range.kind == "application" && range.subtype.ends_with("+json")))
    }
}

impl MediaRange {
    fn parse(text: &str) -> Result<Self, NotAMediaType> {
        let mut parts = text.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        // Java's own URL connections send a lone `*`.
        let name = if name == "*" { "*/*" } else { name };
        let (kind, subtype) = name.split_once('/').ok_or(NotAMediaType)?;
        let mut range = Self {
            kind: kind.to_ascii_lowercase(),
            subtype: subtype.to_ascii_lowercase(),
            parameters: Vec::new(),
            quality: 1000,
        };
        if !is_token(kind) || !is_token(subtype) || (kind == "*" && subtype != "*") {
            return Err(NotAMediaType);
        }
        for parameter in parts.filter(|part| !part.is_empty()) {
            let (name, value) = parameter.split_once('=').ok_or(NotAMediaType)?;
            if name.eq_ignore_ascii_case("q") {
                range.quality = quality(value)?;
            } else {
                range.parameters.push((name.to_ascii_lowercase(), value.to_owned()));
            }
        }
        Ok(range)
    }

    /// Greater is preferred.
    fn rank(&self) -> (u16, bool, bool, usize) {
        let concrete_kind = self.kind != "*";
        (self.quality, concrete_kind, self.is_concrete(), self.parameters.len())
    }

    fn is_concrete(&self) -> bool {
        self.kind != "*" && self.subtype != "*" && !self.subtype.starts_with("*+")
    }

    fn name(&self) -> String {
        format!("{}/{}", self.kind, self.subtype)
    }

    fn is(&self, name: &str) -> bool {
        name.split_once('/') == Some((&self.kind, &self.subtype))
    }

    fn includes(&self, name: &str) -> bool {
        let (kind, subtype) = name.split_once('/').unwrap_or((name, ""));
        let within = |subtype: &str| match self.subtype.strip_prefix('*') {
            None => self.subtype == subtype,
            Some(suffix) => suffix.is_empty() || subtype.ends_with(suffix),
        };
        self.kind == "*" || (self.kind == kind && within(subtype))
    }

    /// `name`, with the parameters it was asked for with when they change nothing in the bytes.
    fn echoed(&self, name: &str) -> String {
        match self.parameters.as_slice() {
            [(charset, utf8)] if self.is(name) && charset == "charset" && utf8.eq_ignore_ascii_case("utf-8") => {
                format!("{name};charset={utf8}")
            }
            _ => name.to_owned(),
        }
    }

    fn as_text_type(&self) -> String {
        let name = self.name();
        let json = name == JSON || name.ends_with("+json");
        if json { name } else { format!("{name};charset=UTF-8") }
    }
}

fn is_token(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+*'%`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(inner)
}

fn quality(text: &str) -> Result<u16, NotAMediaType> {
    let value: f32 = text.trim().parse().map_err(|_| NotAMediaType)?;
    if !(0.0..=1.0).contains(&value) {
        return Err(NotAMediaType);
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000")]
    Ok((value * 1000.0).round() as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(header: &str) -> Accepted {
        Accepted::parse((!header.is_empty()).then_some(header.as_bytes())).expect("media types")
    }

    #[test]
    fn the_form_of_an_environment_follows_the_best_accepted_type() {
        let v1 = Some((false, JSON));
        let v2 = Some((true, ENVIRONMENT_V2));
        for (header, want) in [
            ("", v1),
            ("*/*", v1),
            ("*", v1),
            ("application/*", v1),
            ("application/json", v1),
            (
                "application/json;charset=UTF-8",
                Some((false, "application/json;charset=UTF-8")),
            ),
            ("application/json;charset=latin1", v1),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", v1),
            ("application/*+json", v2),
            (ENVIRONMENT_V2, v2),
            (
                "application/vnd.spring-cloud.config-server.v2+json, application/json",
                v2,
            ),
            (
                "application/json, application/vnd.spring-cloud.config-server.v2+json;q=0.5",
                v1,
            ),
            ("*/*, application/vnd.spring-cloud.config-server.v2+json", v2),
            (
                "application/json;q=0.1, application/vnd.spring-cloud.config-server.v2+json;q=0.5",
                v2,
            ),
            ("application/vnd.spring-cloud.config-server.v1+json", None),
            ("text/plain", None),
            ("application/yaml", None),
            ("application/json;q=0", None),
        ] {
            let got = accept(header).environment();
            let got = got.as_ref().map(|form| (form.origins, form.content_type.as_str()));
            assert_eq!(got, want, "{header}");
        }
    }

    #[test]
    fn the_form_of_a_file_follows_the_named_type() {
        for (header, want) in [
            ("", "text/plain;charset=UTF-8"),
            ("*/*", "text/plain;charset=UTF-8"),
            ("text/plain", "text/plain;charset=UTF-8"),
            ("text/html", "text/html;charset=UTF-8"),
            ("application/json", "application/json"),
            ("image/png", "image/png;charset=UTF-8"),
        ] {
            assert_eq!(accept(header).file(), FileType::Text(want.to_owned()), "{header}");
        }
        for header in ["application/octet-stream", "text/plain, application/octet-stream;q=0.1"] {
            assert_eq!(accept(header).file(), FileType::Binary, "{header}");
        }
    }

    #[test]
    fn an_error_document_takes_the_json_type_that_was_asked_for() {
        let v1 = "application/vnd.spring-cloud.config-server.v1+json";
        for (header, want) in [
            ("", JSON),
            ("text/html", JSON),
            (ENVIRONMENT_V2, ENVIRONMENT_V2),
            (v1, v1),
        ] {
            assert_eq!(accept(header).error_document(), want, "{header}");
        }
        assert!(!accept("text/plain").accepts_error_document());
        assert!(accept("text/html, */*;q=0.1").accepts_error_document());
    }

    #[test]
    fn what_is_no_media_type_is_refused() {
        for header in [
            "json",
            "a/b/c",
            "*/json",
            "text/plain;q=x",
            "text/plain;q=2",
            "é/x",
            "text/plain;bare",
        ] {
            assert_eq!(Accepted::parse([header.as_bytes()]), Err(NotAMediaType), "{header}");
        }
    }
}
