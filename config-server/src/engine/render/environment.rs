//! The environment as JSON, members in Spring's order (contract 1.3, 1.4).

use bytes::Bytes;

use super::super::resolve::Source;
use super::super::value::Property;
use super::{Envelope, json};

/// The environment as JSON, members in Spring's order (contract 1.3, 1.4). `sources` are highest
/// precedence first.
#[must_use]
pub fn environment(envelope: &Envelope<'_>, sources: &[Source]) -> Bytes {
    let count: usize = sources.iter().map(|source| source.properties.len()).sum();
    let mut out = Vec::with_capacity(256 + count * 48);
    let query = envelope.query;
    out.extend_from_slice(b"{\"name\":");
    json::string(&mut out, &query.name);
    out.extend_from_slice(b",\"profiles\":[");
    json::string(&mut out, &query.profiles_text);
    out.extend_from_slice(b"],\"label\":");
    json::optional(&mut out, query.label.as_deref());
    out.extend_from_slice(b",\"version\":");
    json::optional(&mut out, envelope.version);
    out.extend_from_slice(b",\"state\":");
    json::optional(&mut out, envelope.state);
    out.extend_from_slice(b",\"propertySources\":[");
    json::separated(&mut out, sources, |out, one| source(out, one, envelope.origins));
    out.extend_from_slice(b"]}");
    out.into()
}

fn source(out: &mut Vec<u8>, source: &Source, origins: bool) {
    let from_settings = &*source.name == Source::OVERRIDES;
    out.extend_from_slice(b"{\"name\":");
    json::string(out, &source.name);
    out.extend_from_slice(b",\"source\":{");
    json::separated(out, source.properties.iter(), |out, property| {
        json::string(out, &property.key);
        out.push(b':');
        if origins {
            with_origin(out, property, from_settings);
        } else {
            json::value(out, &property.value);
        }
    });
    out.extend_from_slice(b"}}");
}

/// A value that stands nowhere, because it was decrypted, appears bare.
fn with_origin(out: &mut Vec<u8>, property: &Property, from_settings: bool) {
    let origin = match property.origin {
        Some(origin) => origin.to_string(),
        None if from_settings => "Config server overrides".to_owned(),
        None => return json::value(out, &property.value),
    };
    out.extend_from_slice(b"{\"value\":");
    json::value(out, &property.value);
    out.extend_from_slice(b",\"origin\":");
    json::string(out, &origin);
    out.push(b'}');
}
