//! The recorded suites, as they are written in `cases/*.json`.

use std::fmt;
use std::path::Path;

use anyhow::{Context, Result};
use indexmap::IndexMap;
use serde::Deserialize;

/// What was recorded, all in all: the number that the page of deviations and the README tell.
pub(super) const CASES: usize = 1923;
pub(super) const SUITES: usize = 61;

/// One server and the cases asked of it, in order.
#[derive(Debug, Deserialize)]
pub(super) struct Suite {
    pub(super) suite: String,
    /// Spring property names; `{repos}` and `{here}` stand for places.
    #[serde(default)]
    pub(super) settings: IndexMap<String, String>,
    pub(super) cases: Vec<Case>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Case {
    pub(super) id: String,
    /// What happens to a repository before the request.
    #[serde(default)]
    pub(super) before: Vec<Step>,
    pub(super) request: Request,
    pub(super) response: Recorded,
    pub(super) compare: Compare,
    /// Why ours is meant to answer otherwise.
    pub(super) deviation: Option<String>,
    /// Then: what is accepted instead of the recorded answer.
    pub(super) expect: Option<Expected>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Step {
    pub(super) repo: String,
    pub(super) fast_import: Option<String>,
    pub(super) git: Option<Vec<String>>,
    pub(super) hide: Option<bool>,
    pub(super) unhide: Option<bool>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Request {
    #[serde(default = "get")]
    pub(super) method: String,
    pub(super) path: String,
    #[serde(default)]
    pub(super) headers: IndexMap<String, String>,
    pub(super) body: Option<String>,
    pub(super) body_base64: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Recorded {
    pub(super) status: u16,
    pub(super) content_type: Option<String>,
    pub(super) body: Option<String>,
    pub(super) body_base64: Option<String>,
    pub(super) sha256: Option<String>,
}

/// What counts as equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Compare {
    /// Equal trees; member order and number spelling count.
    Json,
    Bytes,
    /// `status`, `error` and `path` of the error document.
    Error,
    Status,
}

#[derive(Debug, Deserialize)]
pub(super) struct Expected {
    pub(super) status: Statuses,
    #[serde(default)]
    pub(super) body_lacks: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Statuses {
    One(u16),
    Several(Vec<u16>),
}

/// Reads every suite below `directory`.
pub(super) fn load_all(directory: &Path) -> Result<Vec<Suite>> {
    let mut suites = Vec::new();
    for entry in std::fs::read_dir(directory).context("reading the suites' directory")? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let text = std::fs::read(&path)?;
            suites.push(serde_json::from_slice(&text).with_context(|| format!("reading {}", path.display()))?);
        }
    }
    Ok(suites)
}

impl Statuses {
    pub(super) fn contains(&self, status: u16) -> bool {
        match self {
            Self::One(one) => *one == status,
            Self::Several(several) => several.contains(&status),
        }
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)?;
        self.headers
            .iter()
            .try_for_each(|(name, value)| write!(f, " {name}: {value}"))
    }
}

fn get() -> String {
    "GET".to_owned()
}
