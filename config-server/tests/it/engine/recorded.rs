//! The recorded cases, and how an answer is compared with one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use config_server::engine::query::Query;
use config_server::engine::resolve::Source;
use config_server::engine::value::{Property, Value};
use serde::Deserialize;
use serde_json::{Map, json};

use crate::recorded::data;

const V2: &str = "application/vnd.spring-cloud.config-server.v2+json";

const BYTES: &str = "application/octet-stream";

/// One file of `cases/`.
#[derive(Debug, Deserialize)]
pub(crate) struct Suite {
    #[serde(rename = "suite")]
    pub(crate) name: String,
    pub(crate) settings: Map<String, serde_json::Value>,
    #[serde(rename = "cases")]
    raw: Vec<RawCase>,
    #[serde(skip)]
    pub(crate) cases: Vec<Case>,
}

#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) path: String,
    /// The v2 media type was asked for.
    pub(crate) origins: bool,
    expected: Expected,
}

/// What the engine made of a request.
#[derive(Debug)]
pub(crate) enum Answer {
    Status(u16),
    Environment(String),
    File(Bytes),
    /// A file could not be read, and why.
    Broken(String),
    /// Not the engine's to answer.
    Elsewhere,
}

/// What came of comparing an answer with the recorded one.
#[derive(Debug)]
pub(crate) enum Verdict {
    Equal,
    /// How it differs.
    Different(String),
    /// The engine does not decide it.
    NotCompared,
}

#[derive(Debug)]
enum Expected {
    /// One of these: a documented deviation, or an answer without a body.
    Status(Vec<u16>),
    /// Label, profiles and sources, as text.
    Environment(String),
    File(Vec<u8>),
    /// Decided outside the engine.
    Anything,
}

#[derive(Debug, Deserialize)]
struct RawCase {
    id: String,
    request: RawRequest,
    response: RawResponse,
    expect: Option<RawExpect>,
}

#[derive(Debug, Deserialize)]
struct RawRequest {
    path: String,
    #[serde(default = "get")]
    method: String,
    #[serde(default)]
    headers: Map<String, serde_json::Value>,
}

#[derive(Debug, Deserialize)]
struct RawResponse {
    status: u16,
    body: Option<String>,
    body_base64: Option<String>,
}

#[derive(Debug, Deserialize)]
struct RawExpect {
    status: serde_json::Value,
}

fn get() -> String {
    "GET".to_owned()
}

impl Suite {
    pub(crate) fn load(name: &str) -> Self {
        let text = std::fs::read_to_string(data().join(format!("cases/{name}.json"))).unwrap();
        let mut suite: Self = serde_json::from_str(&text.replace("{here}", "/here")).unwrap();
        suite.cases = std::mem::take(&mut suite.raw).into_iter().map(Case::from).collect();
        suite
    }

    /// A setting's text; empty when it is not there.
    pub(crate) fn setting(&self, key: &str) -> &str {
        self.settings
            .get(key)
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default()
    }
}

impl From<RawCase> for Case {
    fn from(raw: RawCase) -> Self {
        let accept = raw
            .request
            .headers
            .get("Accept")
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default();
        Self {
            origins: accept == V2,
            expected: expected(&raw, accept),
            id: raw.id,
            path: raw.request.path,
        }
    }
}

fn expected(raw: &RawCase, accept: &str) -> Expected {
    if let Some(expect) = &raw.expect {
        let statuses = match &expect.status {
            serde_json::Value::Array(statuses) => statuses.clone(),
            one => vec![one.clone()],
        };
        return Expected::Status(
            statuses
                .iter()
                .filter_map(|status| u16::try_from(status.as_u64()?).ok())
                .collect(),
        );
    }
    let plain = ["", "*/*", "application/json", V2].contains(&accept);
    let negotiated = !plain && (accept != BYTES || raw.response.status != 200);
    let conditional = raw.response.status == 304;
    if raw.request.method != "GET" || conditional || negotiated || raw.request.path.starts_with("/actuator") {
        return Expected::Anything;
    }
    if raw.response.status != 200 {
        return Expected::Status(vec![raw.response.status]);
    }
    let body = raw.response.body.as_deref().unwrap_or_default();
    let json: Option<serde_json::Value> = serde_json::from_str(body).ok();
    match json.filter(|json| json.get("propertySources").is_some()) {
        Some(environment) => Expected::Environment(essence(&environment)),
        None if accept == BYTES => {
            let base64 = raw.response.body_base64.as_deref();
            Expected::File(base64.map_or_else(|| body.as_bytes().to_vec(), |text| STANDARD.decode(text).unwrap()))
        }
        None => Expected::Anything,
    }
}

/// What the engine decides of an environment: version and state come from outside, and so does what
/// becomes of `{cipher}` values.
fn essence(environment: &serde_json::Value) -> String {
    let parts = ["name", "profiles", "label"].map(|part| environment[part].to_string());
    let sources = environment["propertySources"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|source| {
            let mut source = source.clone();
            if let Some(values) = source["source"].as_object_mut() {
                values.retain(|key, value| !is_cipher(key, value));
            }
            source.to_string()
        });
    parts.into_iter().chain(sources).collect::<Vec<_>>().join("\n  ")
}

fn is_cipher(key: &str, value: &serde_json::Value) -> bool {
    let text = value.get("value").unwrap_or(value).as_str().unwrap_or_default();
    text.starts_with("{cipher}") || key.starts_with("invalid.") && text == "<n/a>"
}

impl Case {
    /// `answer` beside what was recorded.
    pub(crate) fn verdict(&self, answer: &Answer) -> Verdict {
        let status = match answer {
            Answer::Elsewhere => return Verdict::NotCompared,
            Answer::Status(status) => *status,
            Answer::Environment(_) | Answer::File(_) => 200,
            Answer::Broken(why) if matches!(self.expected, Expected::Environment(_)) => {
                return Verdict::Different(why.clone());
            }
            Answer::Broken(_) => 500,
        };
        match (&self.expected, answer) {
            (Expected::Anything, _) => Verdict::NotCompared,
            (Expected::Status(allowed), _) if allowed.contains(&status) => Verdict::Equal,
            (Expected::Environment(expected), Answer::Environment(got)) if expected == got => Verdict::Equal,
            (Expected::File(expected), Answer::File(got)) if expected == got => Verdict::Equal,
            (expected, got) => Verdict::Different(format!("\n  wanted {expected:?}\n  got    {got:?}")),
        }
    }
}

impl Answer {
    pub(crate) fn environment(query: &Query, sources: &[Source], origins: bool) -> Self {
        let source = |source: &Source| {
            let properties = source.properties.iter();
            let values: Map<_, _> = properties
                .map(|property| (property.key.to_string(), value(property, origins)))
                .collect();
            json!({ "name": &*source.name, "source": values })
        };
        let environment = json!({
            "name": query.name,
            "profiles": [query.profiles_text],
            "label": query.label,
            "propertySources": sources.iter().map(source).collect::<Vec<_>>(),
        });
        Self::Environment(essence(&environment))
    }
}

fn value(property: &Property, origins: bool) -> serde_json::Value {
    let value = match &property.value {
        Value::Bool(value) => json!(value),
        Value::Integer(value) => json!(value),
        Value::Double(value) => json!(value),
        Value::BigInteger(text) => serde_json::from_str(text).unwrap(),
        Value::Text(text) => json!(&**text),
        Value::Bytes(bytes) => json!(STANDARD.encode(bytes)),
    };
    match property.origin.filter(|_| origins) {
        Some(origin) => json!({ "value": value, "origin": origin.to_string() }),
        None => value,
    }
}
