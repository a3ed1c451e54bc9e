//! JSON in which member order and the spelling of numbers count.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A JSON document; numbers stay text, so that `1`, `1.0` and `"1"` differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tree {
    Object(Vec<(String, Self)>),
    Array(Vec<Self>),
    Text(String),
    /// A number, `true`, `false` or `null`.
    Plain(String),
}

struct Members(Vec<(String, Box<RawValue>)>);

impl Tree {
    pub(super) fn parse(json: &str) -> serde_json::Result<Self> {
        let json = json.trim();
        Ok(match json.as_bytes().first() {
            Some(b'{') => {
                let Members(members) = serde_json::from_str(json)?;
                let parsed = members
                    .into_iter()
                    .map(|(name, value)| Ok((name, Self::parse(value.get())?)));
                Self::Object(parsed.collect::<serde_json::Result<_>>()?)
            }
            Some(b'[') => {
                let items: Vec<Box<RawValue>> = serde_json::from_str(json)?;
                Self::Array(
                    items
                        .iter()
                        .map(|item| Self::parse(item.get()))
                        .collect::<Result<_, _>>()?,
                )
            }
            Some(b'"') => Self::Text(serde_json::from_str(json)?),
            _ => {
                let _: &RawValue = serde_json::from_str(json)?;
                Self::Plain(json.to_owned())
            }
        })
    }

    /// The one spelling whose digest the data keeps.
    pub(super) fn dump(&self) -> String {
        match self {
            Self::Object(members) => {
                let members = members
                    .iter()
                    .map(|(name, value)| format!(", [{}, {}]", quote(name), value.dump()));
                format!("[\"{{}}\"{}]", members.collect::<String>())
            }
            Self::Array(items) => format!("[{}]", items.iter().map(Self::dump).collect::<Vec<_>>().join(", ")),
            Self::Text(text) => quote(text),
            Self::Plain(plain) if matches!(plain.as_str(), "true" | "false" | "null") => plain.clone(),
            Self::Plain(number) => format!("{{\"number\": \"{number}\"}}"),
        }
    }

    /// Where `self` (wanted) and `got` differ first.
    pub(super) fn first_difference(&self, got: &Self, path: &str) -> Option<String> {
        match (self, got) {
            (Self::Object(want), Self::Object(got)) => {
                let names =
                    |members: &[(String, Self)]| members.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
                if names(want) != names(got) {
                    return Some(format!(
                        "{path}: want the members {:?}, got {:?}",
                        names(want),
                        names(got)
                    ));
                }
                let mut pairs = want.iter().zip(got);
                pairs.find_map(|((name, want), (_, got))| want.first_difference(got, &format!("{path}.{name}")))
            }
            (Self::Array(want), Self::Array(got)) => {
                let mut pairs = want.iter().zip(got).enumerate();
                let inner = pairs.find_map(|(at, (want, got))| want.first_difference(got, &format!("{path}[{at}]")));
                inner.or_else(|| {
                    let differs = want.len() != got.len();
                    differs.then(|| format!("{path}: want {} items, got {}", want.len(), got.len()))
                })
            }
            (want, got) => (want != got).then(|| format!("{path}: want {want:?}, got {got:?}")),
        }
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// As Python's `json.dumps(.., ensure_ascii=False)`.
fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            c if c < ' ' => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
