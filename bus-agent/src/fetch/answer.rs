//! One configuration as a server answered it.

use std::time::Duration;

use contract::{Environment, Label, headers};
use reqwest::header::HeaderMap;
use serde::{Deserialize, Serialize};

use super::Standing;
use crate::digest;
use crate::revision::Revision;

/// An environment with what the server says about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The property sources.
    pub environment: Environment,
    /// What names it.
    pub revision: Revision,
    /// The label that was served.
    #[serde(default)]
    pub label: Option<Label>,
    /// A newer commit the server holds back for this application.
    #[serde(default)]
    pub held: Option<String>,
    /// For how long the server has not reached its remote.
    #[serde(default)]
    pub stale: Option<Duration>,
}

/// Reads what the headers of an answer say beside its body.
pub(super) fn standing(headers: &HeaderMap) -> Standing {
    let text = |name: &str| header(headers, name);
    Standing {
        version: text(headers::VERSION),
        moved: text(headers::MOVE).and_then(|text| text.parse().ok()),
        label: text(headers::LABEL).and_then(|text| text.parse().ok()),
        held: text(headers::HELD),
        stale: text(headers::STALE)
            .and_then(|text| text.parse().ok())
            .map(Duration::from_secs),
    }
}

pub(super) fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

impl Answer {
    pub(super) fn new(environment: Environment, etag: Option<String>, standing: Standing) -> Self {
        let digest = match &etag {
            Some(etag) => opaque(etag).to_owned(),
            None => digest_of(&environment),
        };
        Self {
            revision: Revision {
                digest,
                etag,
                version: standing.version.or_else(|| environment.version.clone()),
                moved: standing.moved,
            },
            environment,
            label: standing.label,
            held: standing.held,
            stale: standing.stale,
        }
    }

    /// An answer without any property source, for a start without a server.
    pub(crate) fn nothing(application: &str, profiles: &[&str]) -> Self {
        let environment = Environment {
            name: application.to_owned(),
            profiles: vec![profiles.join(",")],
            label: None,
            version: None,
            state: None,
            property_sources: Vec::new(),
        };
        Self {
            revision: Revision {
                digest: digest_of(&environment),
                etag: None,
                version: None,
                moved: None,
            },
            environment,
            label: None,
            held: None,
            stale: None,
        }
    }
}

/// The tag without its quotes and without the mark of a weak one, which a compressing proxy adds.
fn opaque(etag: &str) -> &str {
    etag.strip_prefix("W/").unwrap_or(etag).trim_matches('"')
}

/// A stock server sends no entity tag, and a new version with every commit: only the property
/// sources count.
fn digest_of(environment: &Environment) -> String {
    let sources = serde_json::to_vec(&environment.property_sources).expect("texts and scalars serialise");
    digest::of(&[&sources])
}
