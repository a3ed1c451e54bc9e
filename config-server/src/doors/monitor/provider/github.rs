//! GitHub: pushes; also what Gitea and Gogs send in its name.

use serde_json::{Map, Value};

use super::files_of_commits;
use crate::doors::monitor::call::Told;

pub(super) fn paths(told: &Told<'_>, members: &Map<String, Value>) -> Vec<String> {
    if !told.header_is("x-github-event", "push") {
        return Vec::new();
    }
    files_of_commits(members)
}
