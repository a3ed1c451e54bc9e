//! Bitbucket, in the cloud and on one's own server. Neither names files.

use serde_json::{Map, Value};

use super::shared_when;
use crate::doors::monitor::call::Told;

pub(super) fn paths(told: &Told<'_>, members: &Map<String, Value>) -> Vec<String> {
    shared_when(is_cloud_push(told, members) || is_server_push(told, members))
}

fn is_cloud_push(told: &Told<'_>, members: &Map<String, Value>) -> bool {
    let key = ["repo:push", "pullrequest:fulfilled"];
    let lists_changes = members
        .get("push")
        .and_then(|push| push.get("changes"))
        .is_some_and(Value::is_array);
    key.iter().any(|key| told.header_is("x-event-key", key)) && told.has_header("x-hook-uuid") && lists_changes
}

fn is_server_push(told: &Told<'_>, members: &Map<String, Value>) -> bool {
    let refs_changed =
        told.header_is("x-event-key", "repo:refs_changed") && members.get("changes").is_some_and(Value::is_array);
    (refs_changed || told.header_is("x-event-key", "pr:merged")) && told.has_header("x-request-id")
}
