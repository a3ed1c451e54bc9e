//! Gitea: pushes, whose files the stock server does not read; it takes even an empty one for a
//! change that concerns everybody.

use serde_json::{Map, Value};

use super::shared_when;
use crate::doors::monitor::call::Told;

pub(super) fn paths(told: &Told<'_>, members: &Map<String, Value>) -> Vec<String> {
    let lists_commits = members.get("commits").is_some_and(Value::is_array);
    shared_when(told.header_is("x-gitea-event", "push") && lists_commits)
}
