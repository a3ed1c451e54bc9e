//! Azure DevOps: pushes, which name no files. The stock server has no reader for them.

use serde_json::{Map, Value};

use super::shared_when;
use crate::doors::monitor::call::Told;

pub(super) fn paths(_: &Told<'_>, members: &Map<String, Value>) -> Vec<String> {
    shared_when(is_push(members))
}

/// Whether this is a push by the publisher that Azure DevOps names itself (`tfs`).
pub(super) fn is_push(members: &Map<String, Value>) -> bool {
    let is = |name: &str, value: &str| members.get(name).and_then(Value::as_str) == Some(value);
    is("eventType", "git.push") && is("publisherId", "tfs")
}
