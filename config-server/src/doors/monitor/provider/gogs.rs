//! Gogs: pushes.

use serde_json::{Map, Value};

use super::files_of_commits;
use crate::doors::monitor::call::Told;

pub(super) fn paths(told: &Told<'_>, members: &Map<String, Value>) -> Vec<String> {
    if !told.header_is("x-gogs-event", "push") {
        return Vec::new();
    }
    files_of_commits(members)
}
