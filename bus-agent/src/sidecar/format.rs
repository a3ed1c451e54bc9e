//! A configuration as the text of a file.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::configuration::Configuration;
use crate::configuration::tree::Node;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Format {
    /// Nested YAML.
    #[serde(alias = "yaml")]
    #[value(alias = "yaml")]
    Yml,
    /// Nested JSON.
    Json,
    /// Java properties, UTF-8.
    Properties,
    /// `KEY=value` lines for a shell or a unit file.
    Env,
}

impl Format {
    /// The format that a file's name asks for.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "yml" | "yaml" => Some(Self::Yml),
            "json" => Some(Self::Json),
            "properties" => Some(Self::Properties),
            "env" => Some(Self::Env),
            _ => None,
        }
    }

    /// The whole file.
    #[must_use]
    pub fn render(self, configuration: &Configuration) -> String {
        match self {
            Self::Yml => serde_yaml::to_string(&nested(configuration)).expect("texts and scalars are YAML"),
            Self::Json => format!("{:#}\n", nested(configuration)),
            Self::Properties => properties(configuration),
            Self::Env => env(configuration),
        }
    }
}

fn nested(configuration: &Configuration) -> Value {
    match nest(&Node::of(configuration, "")) {
        Value::Object(members) => Value::Object(members),
        // Keys such as `[0]` alone: a file is a map at its top.
        other => Value::Object(Map::from_iter([("document".to_owned(), other)])),
    }
}

fn nest(node: &Node<'_>) -> Value {
    if !node.has_children() {
        return value_of(node).unwrap_or_else(|| Value::Object(Map::new()));
    }
    let is_list = node.members.is_empty() && node.items.keys().copied().eq(0..node.items.len());
    if is_list {
        return node.items.values().map(nest).collect();
    }
    let mut members = Map::new();
    for (name, child) in children(node) {
        match value_of(child) {
            // It cannot be a value and a map: what is below keeps its flat key beside it.
            Some(value) if child.has_children() => {
                members.insert(name.clone(), value);
                flatten(&name, child, &mut members);
            }
            _ => {
                members.insert(name, nest(child));
            }
        }
    }
    Value::Object(members)
}

fn flatten(name: &str, node: &Node<'_>, members: &mut Map<String, Value>) {
    for (below, child) in children(node) {
        let name = format!("{name}.{below}");
        if let Some(value) = value_of(child) {
            members.insert(name.clone(), value);
        }
        flatten(&name, child, members);
    }
}

fn children<'n, 'c>(node: &'n Node<'c>) -> impl Iterator<Item = (String, &'n Node<'c>)> {
    let members = node.members.values().map(|member| (member.name.clone(), &member.node));
    members.chain(node.items.iter().map(|(index, item)| (index.to_string(), item)))
}

fn value_of(node: &Node<'_>) -> Option<Value> {
    node.entry.map(|entry| entry.value.clone())
}

fn properties(configuration: &Configuration) -> String {
    let mut text = String::new();
    for entry in configuration.entries() {
        escape(&entry.key, true, &mut text);
        text.push('=');
        escape(&entry.text(), false, &mut text);
        text.push('\n');
    }
    text
}

fn escape(plain: &str, is_key: bool, text: &mut String) {
    for (at, c) in plain.chars().enumerate() {
        match c {
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{c}' => text.push_str("\\f"),
            '\\' => text.push_str("\\\\"),
            ' ' if is_key || at == 0 => text.push_str("\\ "),
            '=' | ':' | '#' | '!' if is_key => text.extend(['\\', c]),
            c => text.push(c),
        }
    }
}

/// Names as Spring reads them from the environment; of two keys with one name the stronger stays.
fn env(configuration: &Configuration) -> String {
    let mut text = String::new();
    let mut named = BTreeSet::new();
    for entry in configuration.entries() {
        let name = variable(&entry.key);
        if named.insert(name.clone()) {
            text.push_str(&name);
            text.push('=');
            text.push_str(&quoted(&entry.text()));
            text.push('\n');
        }
    }
    text
}

/// `db.max-pool-size` is `DB_MAXPOOLSIZE`, `hosts[0]` is `HOSTS_0`.
fn variable(key: &str) -> String {
    let mut name = String::with_capacity(key.len());
    for c in key.chars() {
        match c {
            '-' | ']' => {}
            c if c.is_ascii_alphanumeric() => name.push(c.to_ascii_uppercase()),
            _ => name.push('_'),
        }
    }
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    name
}

/// Bare when every reader takes it so, else between single quotes as a shell reads them.
fn quoted(value: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || "_-./:@,+%".contains(c);
    if value.chars().all(bare) {
        value.to_owned()
    } else {
        format!("'{}'", value.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use contract::Environment;
    use serde_json::json;

    use super::*;
    use crate::configuration::Local;
    use crate::revision::Revision;

    fn configuration(source: &Value) -> Configuration {
        let environment: Environment = serde_json::from_value(json!({
            "name": "orders", "profiles": ["default"], "label": null, "version": null, "state": "",
            "propertySources": [{"name": "a", "source": source}],
        }))
        .expect("an environment");
        let revision = Revision {
            digest: "d".to_owned(),
            etag: None,
            version: None,
            moved: None,
        };
        Configuration::new(revision, &environment, &Local::default())
    }

    fn sample() -> Configuration {
        configuration(&json!({
            "server.port": 8080, "db.hosts[0]": "a", "db.hosts[1]": "b c", "db.on": true, "m[/x.y]": "it's\n",
            "a": "both", "a.b": 1, "gap[1]": "x", "e": "",
        }))
    }

    #[test]
    fn json_is_nested_and_loses_nothing() {
        let read: Value = serde_json::from_str(&Format::Json.render(&sample())).expect("JSON");
        assert_eq!(
            read,
            json!({
                "server": {"port": 8080}, "db": {"hosts": ["a", "b c"], "on": true}, "m": {"/x.y": "it's\n"},
                "a": "both", "a.b": 1, "gap": {"1": "x"}, "e": "",
            })
        );
    }

    #[test]
    fn yaml_reads_back_as_the_same_values() {
        let of = |format: Format| format.render(&sample());
        let yaml: Value = serde_yaml::from_str(&of(Format::Yml)).expect("YAML");
        let json: Value = serde_json::from_str(&of(Format::Json)).expect("JSON");
        assert_eq!(yaml, json);
        assert!(of(Format::Yml).starts_with("server:\n  port: 8080\n"));
    }

    #[test]
    fn properties_are_escaped() {
        let tricky = configuration(&json!({"a b=c": " x\\y\nz", "plain": "v"}));
        assert_eq!(Format::Properties.render(&tricky), "a\\ b\\=c=\\ x\\\\y\\nz\nplain=v\n");
    }

    #[test]
    fn variables_are_named_as_spring_reads_them_and_quoted_for_a_shell() {
        let tricky =
            configuration(&json!({"db.max-pool-size": 5, "hosts[0].name": "it's", "db.maxPoolSize": 6, "9": "x"}));
        assert_eq!(
            Format::Env.render(&tricky),
            "DB_MAXPOOLSIZE=5\nHOSTS_0_NAME='it'\\''s'\n_9=x\n"
        );
    }

    #[test]
    fn nothing_is_an_empty_file_of_its_kind() {
        let nothing = Configuration::empty();
        assert_eq!(Format::Json.render(&nothing), "{}\n");
        assert_eq!(Format::Yml.render(&nothing), "{}\n");
        assert_eq!(Format::Env.render(&nothing), "");
    }
}
