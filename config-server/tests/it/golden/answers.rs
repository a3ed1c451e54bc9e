//! The recorded suites, as what they say about single files, environments and merged files.

use std::fmt::Write as _;
use std::path::Path;

use config_server::engine::render::Merged;
use config_server::engine::resolve::Source;
use config_server::engine::value::{Origin, Property, Value};
use serde_json::Value as Json;

const V2: &str = "application/vnd.spring-cloud.config-server.v2+json";

/// Which of the two environment forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answers {
    Plain,
    WithOrigins,
}

#[derive(Debug)]
pub(crate) struct Suite {
    pub(crate) name: String,
    document: Json,
}

/// One recorded environment.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) path: String,
    pub(crate) body: String,
    json: Json,
}

/// One recorded merged file and the path of the environment it is made of.
#[derive(Debug)]
pub(crate) struct MergedCase {
    pub(crate) path: String,
    pub(crate) environment: String,
    pub(crate) form: Merged,
    pub(crate) resolve: bool,
    pub(crate) recorded: Recorded,
}

#[derive(Debug)]
pub(crate) enum Recorded {
    Body(String),
    Refused,
}

impl Suite {
    pub(crate) fn load(path: &Path) -> Self {
        let document: Json = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        Self {
            name: document["suite"].as_str().unwrap().to_owned(),
            document,
        }
    }

    /// The answers are not those of the files by the same name at the branch's head.
    pub(crate) fn rewrites_values(&self) -> bool {
        let of = |start| self.name.starts_with(start);
        of("encrypt") || of("history") || of("labels") || of("symlinks")
    }

    pub(crate) fn strips_document(&self) -> bool {
        self.document["settings"]["spring.cloud.config.server.strip-document-from-yaml"] != "false"
    }

    fn cases(&self) -> impl Iterator<Item = &Json> {
        let cases = self.document["cases"].as_array().unwrap();
        cases
            .iter()
            .filter(|case| case["expect"].is_null() && case["before"].is_null())
    }

    pub(crate) fn environments(&self, form: Answers) -> impl Iterator<Item = Answer> {
        self.cases().filter_map(move |case| {
            let accept = case["request"]["headers"]["Accept"].as_str();
            let wanted = match form {
                Answers::Plain => accept.is_none(),
                Answers::WithOrigins => accept == Some(V2),
            };
            let body = case["response"]["body"].as_str().filter(|_| wanted)?;
            let body = body.replace("\\/", "/");
            let json: Json = serde_json::from_str(&body).ok()?;
            json.get("propertySources")?;
            Some(Answer {
                path: case["request"]["path"].as_str()?.to_owned(),
                body,
                json,
            })
        })
    }

    pub(crate) fn merged(&self) -> impl Iterator<Item = MergedCase> {
        self.cases().filter_map(|case| {
            let path = case["request"]["path"].as_str()?;
            let (file, query) = path.split_once('?').unwrap_or((path, ""));
            if query.ends_with("=maybe") {
                return None;
            }
            let (label, name) = file.rsplit_once('/')?;
            let (stem, extension) = name.rsplit_once('.')?;
            let (application, profiles) = stem.split_once('-')?;
            let form = match extension {
                "yml" | "yaml" => Merged::Yaml,
                "json" => Merged::Json,
                "properties" => Merged::Properties,
                _ => return None,
            };
            let recorded = match (case["response"]["status"].as_u64()?, case["compare"].as_str()?) {
                (200, "bytes" | "json") => Recorded::Body(case["response"]["body"].as_str()?.replace("\\/", "/")),
                (400 | 500, _) => Recorded::Refused,
                _ => return None,
            };
            Some(MergedCase {
                path: path.to_owned(),
                environment: format!("/{application}/{profiles}{label}"),
                form,
                resolve: !query.contains("resolvePlaceholders=false"),
                recorded,
            })
        })
    }
}

impl Answer {
    pub(crate) fn text(&self, member: &str) -> String {
        self.optional(member).unwrap()
    }

    pub(crate) fn optional(&self, member: &str) -> Option<String> {
        self.json[member].as_str().map(str::to_owned)
    }

    pub(crate) fn profiles(&self) -> String {
        self.json["profiles"][0].as_str().unwrap().to_owned()
    }

    /// Names and properties as text.
    pub(crate) fn sources(&self) -> Vec<(String, String)> {
        let sources = self.as_sources();
        sources
            .iter()
            .map(|source| (source.name.to_string(), spell(&source.properties)))
            .collect()
    }

    pub(crate) fn as_sources(&self) -> Vec<Source> {
        let sources = self.json["propertySources"].as_array().unwrap();
        sources.iter().map(source).collect()
    }
}

/// Keys, types, values and origins of properties, one a line. Bytes and numbers past JSON are texts,
/// as in an answer.
pub(crate) fn spell(properties: &[Property]) -> String {
    let mut out = String::new();
    for Property { key, value, origin } in properties {
        let value = match value {
            Value::Text(text) => format!("{text:?}"),
            Value::Bytes(_) => format!("{:?}", value.to_string()),
            Value::Double(number) if !number.is_finite() => format!("{:?}", value.to_string()),
            other => other.to_string(),
        };
        let origin = origin.map(|origin| origin.to_string()).unwrap_or_default();
        let _ = writeln!(out, "{key} = {value} @{origin}");
    }
    out
}

fn source(json: &Json) -> Source {
    let properties = json["source"].as_object().unwrap().iter().map(|(key, value)| {
        let (value, origin) = match value {
            Json::Object(members) => (&members["value"], members["origin"].as_str()),
            plain => (plain, None),
        };
        Property {
            key: key.as_str().into(),
            value: scalar(value),
            origin: origin.and_then(place),
        }
    });
    Source {
        name: json["name"].as_str().unwrap().into(),
        properties: properties.collect(),
    }
}

fn scalar(json: &Json) -> Value {
    match json {
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => match (number.as_i64(), number.is_f64()) {
            (Some(integer), _) => Value::Integer(integer),
            (None, true) => Value::Double(number.as_f64().unwrap()),
            (None, false) => Value::BigInteger(number.to_string().into()),
        },
        other => Value::Text(other.as_str().unwrap().into()),
    }
}

fn place(origin: &str) -> Option<Origin> {
    let (line, column) = origin.split_once(':')?;
    Some(Origin {
        line: line.parse().ok()?,
        column: column.parse().ok()?,
    })
}
