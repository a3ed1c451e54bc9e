//! Names content by its digest.

use aws_lc_rs::digest::{Context, SHA256};

use crate::engine::query::Query;
use crate::engine::resolve::Source;
use crate::engine::value::{Origin, Property, Value};

/// Hexadecimal digits of a digest: 128 bits are plenty to tell contents apart.
const DIGITS: usize = 32;

/// The digest of an environment: what was asked for and every source, but not the version. Lines and
/// columns count only where they are written.
#[must_use]
pub fn of_environment(query: &Query, origins: bool, sources: &[Source]) -> String {
    let mut digest = Digest::new("environment");
    digest.add(&[u8::from(origins)]);
    digest.add(query.name.as_bytes());
    digest.add(query.profiles_text.as_bytes());
    digest.add(query.label.as_deref().unwrap_or("\0").as_bytes());
    for source in sources {
        digest.add(source.name.as_bytes());
        digest.add(&(source.properties.len() as u64).to_le_bytes());
        for property in source.properties.iter() {
            digest.add_property(property);
            if origins {
                digest.add_origin(property.origin);
            }
        }
    }
    digest.finish()
}

/// The digest of rendered bytes.
pub(super) fn of_bytes(bytes: &[u8]) -> String {
    let mut digest = Digest::new("bytes");
    digest.add(bytes);
    digest.finish()
}

/// Adds parts so that their borders count.
struct Digest(Context);

impl Digest {
    fn new(kind: &str) -> Self {
        let mut digest = Self(Context::new(&SHA256));
        digest.add(kind.as_bytes());
        digest
    }

    fn add(&mut self, part: &[u8]) {
        self.0.update(&(part.len() as u64).to_le_bytes());
        self.0.update(part);
    }

    fn add_property(&mut self, property: &Property) {
        self.add(property.key.as_bytes());
        match &property.value {
            Value::Bool(value) => self.add(&[0, u8::from(*value)]),
            Value::Integer(value) => self.add_typed(1, &value.to_le_bytes()),
            Value::BigInteger(value) => self.add_typed(2, value.as_bytes()),
            Value::Double(value) => self.add_typed(3, &value.to_bits().to_le_bytes()),
            Value::Text(value) => self.add_typed(4, value.as_bytes()),
            Value::Bytes(value) => self.add_typed(5, value),
        }
    }

    fn add_origin(&mut self, origin: Option<Origin>) {
        let (line, column) = origin.map_or((0, 0), |origin| (origin.line, origin.column));
        self.add(&line.to_le_bytes());
        self.add(&column.to_le_bytes());
    }

    fn add_typed(&mut self, kind: u8, value: &[u8]) {
        self.add(&[kind]);
        self.add(value);
    }

    fn finish(self) -> String {
        let mut text = hex::encode(self.0.finish());
        text.truncate(DIGITS);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(values: &[(&str, Value)]) -> String {
        let query = Query {
            name: "orders".to_owned(),
            applications: vec!["orders".to_owned()],
            profiles_text: "dev".to_owned(),
            profiles: vec!["dev".to_owned()],
            label: None,
        };
        let property = |(key, value): &(&str, Value)| Property {
            key: (*key).into(),
            value: value.clone(),
            origin: None,
        };
        let source = Source {
            name: "orders.yml".into(),
            properties: values.iter().map(property).collect(),
        };
        of_environment(&query, false, &[source])
    }

    #[test]
    fn a_digest_tells_types_and_borders_apart() {
        let text = |text: &str| Value::Text(text.into());
        let digests = [
            environment(&[]),
            environment(&[("a", text("1"))]),
            environment(&[("a", Value::Integer(1))]),
            environment(&[("a", Value::Bool(true))]),
            environment(&[("a", text("1")), ("b", text(""))]),
            environment(&[("a1", text("")), ("b", text(""))]),
            environment(&[("b", text("")), ("a", text("1"))]),
        ];
        let distinct: std::collections::BTreeSet<_> = digests.iter().collect();
        assert_eq!(distinct.len(), digests.len());
        assert!(digests.iter().all(|digest| digest.len() == DIGITS));
    }
}
