//! Anybody: a member `path`, one text or several.

use serde_json::{Map, Value};

use crate::doors::monitor::call::Told;

pub(super) fn paths(_: &Told<'_>, members: &Map<String, Value>) -> Vec<String> {
    match members.get("path") {
        Some(Value::String(path)) => vec![path.clone()],
        Some(Value::Array(paths)) => paths.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}
