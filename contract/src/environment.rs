//! The answer of `GET /{application}/{profiles}[/{label}]` (spring-cloud-config contract 1.3, 1.4).

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What an application gets: property sources, highest precedence first.
///
/// Unknown members are ignored when read; missing lists are empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Environment {
    /// The application as asked for.
    pub name: String,
    /// One element holding the list as asked for: `["dev,cloud"]`.
    #[serde(default)]
    pub profiles: Vec<String>,
    /// The label as asked for; `None` when the request had none.
    pub label: Option<String>,
    /// The commit, or the comma-joined commits of several labels.
    pub version: Option<String>,
    /// State of a secret store; `""` for git.
    pub state: Option<String>,
    /// Highest precedence first.
    #[serde(default)]
    pub property_sources: Vec<PropertySource>,
}

/// One file (or one document of a file) with its flat properties, in file order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PropertySource {
    /// Where it came from; clients rank by this text (spring-cloud-config contract 7.4).
    pub name: String,
    /// Flat keys (`server.port`, `list[0]`) and their values.
    #[serde(default)]
    pub source: IndexMap<String, SourceValue>,
}

/// A value, with the line and column it stands at when the answer carried origins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Value", into = "Value")]
pub struct SourceValue {
    /// A scalar: text, number, boolean or null.
    pub value: Value,
    /// `line:column`, both from 1; `None` in the plain form.
    pub origin: Option<String>,
}

impl From<Value> for SourceValue {
    fn from(json: Value) -> Self {
        match json {
            Value::Object(mut members) if members.contains_key("value") || members.contains_key("origin") => Self {
                value: members.shift_remove("value").unwrap_or(Value::Null),
                origin: members
                    .shift_remove("origin")
                    .and_then(|origin| origin.as_str().map(str::to_owned)),
            },
            plain => Self {
                value: plain,
                origin: None,
            },
        }
    }
}

impl From<SourceValue> for Value {
    fn from(value: SourceValue) -> Self {
        match value.origin {
            None => value.value,
            Some(origin) => serde_json::json!({ "value": value.value, "origin": origin }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_value_are_read() {
        let v1 = r#"{"name":"foo","profiles":["dev"],"label":null,"version":"a","state":"",
            "propertySources":[{"name":"x/foo.yml","source":{"a":1}}]}"#;
        let v2 = v1.replace("\"a\":1", r#""a":{"value":1,"origin":"1:4"}"#);
        let plain: Environment = serde_json::from_str(v1).expect("v1");
        let origin: Environment = serde_json::from_str(&v2).expect("v2");
        assert_eq!(plain.property_sources[0].source["a"].value, 1);
        assert_eq!(origin.property_sources[0].source["a"].value, 1);
        assert_eq!(origin.property_sources[0].source["a"].origin.as_deref(), Some("1:4"));
        assert!(plain.label.is_none());
    }
}
