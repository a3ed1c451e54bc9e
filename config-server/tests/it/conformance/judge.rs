//! Decides whether an answer is the recorded one.

use anyhow::Result;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::exchange::Answered;
use super::suite::{Case, Compare, Expected, Recorded};
use super::tree::Tree;

/// What stands for `{repos}` and `{here}` in this run.
#[derive(Debug)]
pub(super) struct Places {
    pub(super) repositories: String,
    pub(super) here: String,
}

#[derive(Debug)]
pub(super) enum Verdict {
    Right,
    Wrong(String),
}

/// A body in the form in which two of them are compared.
#[derive(Debug, PartialEq, Eq)]
enum Canonical {
    Tree(Tree),
    Error(String),
    Bytes(Vec<u8>),
}

pub(super) fn judge(case: &Case, got: &Answered, places: &Places) -> Verdict {
    let wrong = match &case.expect {
        Some(expected) => deviates(expected, got),
        None => differs(&case.response, case.compare, got, places),
    };
    wrong.map_or(Verdict::Right, Verdict::Wrong)
}

/// Ours, not the stock answer: a documented deviation.
fn deviates(expected: &Expected, got: &Answered) -> Option<String> {
    if !expected.status.contains(got.status) {
        return Some(format!(
            "status {}, wanted {:?} (documented deviation)",
            got.status, expected.status
        ));
    }
    let held = |text: &&String| contains(&got.body, text.as_bytes());
    expected
        .body_lacks
        .iter()
        .find(held)
        .map(|text| format!("the body contains {text:?}"))
}

fn differs(want: &Recorded, compare: Compare, got: &Answered, places: &Places) -> Option<String> {
    if got.status != want.status {
        return Some(format!(
            "status {}, wanted {}: {}",
            got.status,
            want.status,
            excerpt(&got.body)
        ));
    }
    if compare == Compare::Status {
        return None;
    }
    if let Some(content_type) = &want.content_type {
        let wanted = content_type.to_lowercase().replace(' ', "");
        if got.content_type != wanted {
            return Some(format!("content type {:?}, wanted {wanted:?}", got.content_type));
        }
    }
    match compare_bodies(want, compare, &got.body, places) {
        Ok(difference) => difference,
        Err(error) => Some(format!("not comparable: {error:#}: {}", excerpt(&got.body))),
    }
}

fn compare_bodies(want: &Recorded, compare: Compare, got: &[u8], places: &Places) -> Result<Option<String>> {
    let got = canonical(&with_places(got, compare, places), compare)?;
    if let Some(sha256) = &want.sha256 {
        let same = hex::encode(digest(&SHA256, &got.digested())) == *sha256;
        return Ok((!same).then(|| "the body differs (only its digest is kept)".to_owned()));
    }
    let recorded = match (&want.body_base64, &want.body) {
        (Some(encoded), _) => STANDARD.decode(encoded)?,
        (None, body) => body.clone().unwrap_or_default().into_bytes(),
    };
    let want = canonical(&recorded, compare)?;
    Ok(want.first_difference(&got))
}

/// The body with this run's places turned back into what the data says. Jackson may write `/` as
/// `\/`, which means the same.
fn with_places(body: &[u8], compare: Compare, places: &Places) -> Vec<u8> {
    let mut body = body.to_vec();
    if matches!(compare, Compare::Json | Compare::Error) {
        body = replace(&body, b"\\/", b"/");
    }
    body = replace(&body, places.repositories.as_bytes(), b"{repos}");
    replace(&body, places.here.as_bytes(), b"{here}")
}

fn canonical(body: &[u8], compare: Compare) -> Result<Canonical> {
    Ok(match compare {
        Compare::Json => Canonical::Tree(Tree::parse(std::str::from_utf8(body)?)?),
        Compare::Error => {
            let document: Value = serde_json::from_slice(body)?;
            let members = ["error", "path", "status"].map(|name| document.get(name).cloned().unwrap_or_default());
            Canonical::Error(Value::from(members.to_vec()).to_string())
        }
        Compare::Bytes | Compare::Status => Canonical::Bytes(body.to_vec()),
    })
}

impl Canonical {
    fn digested(&self) -> Vec<u8> {
        match self {
            Self::Tree(tree) => tree.dump().into_bytes(),
            Self::Error(error) => error.clone().into_bytes(),
            Self::Bytes(bytes) => bytes.clone(),
        }
    }

    fn first_difference(&self, got: &Self) -> Option<String> {
        match (self, got) {
            (Self::Tree(want), Self::Tree(got)) => want.first_difference(got, "$"),
            (Self::Bytes(want), Self::Bytes(bytes)) if self != got => {
                Some(format!("want {}\n        got  {}", excerpt(want), excerpt(bytes)))
            }
            (want, got) => (want != got).then(|| format!("want {want:?}, got {got:?}")),
        }
    }
}

fn contains(body: &[u8], text: &[u8]) -> bool {
    body.windows(text.len()).any(|window| window == text)
}

fn replace(body: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(from) {
            out.extend_from_slice(to);
            rest = after;
        } else {
            out.push(rest[0]);
            rest = &rest[1..];
        }
    }
    out
}

fn excerpt(body: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(body).chars().take(400).collect();
    format!("{text:?}")
}
