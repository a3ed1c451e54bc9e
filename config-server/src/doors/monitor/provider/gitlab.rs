//! GitLab: pushes of branches. A tag names no files; that it is there now, the fetch tells.

use serde_json::{Map, Value};

use super::files_of_commits;
use crate::doors::monitor::call::Told;

pub(super) fn paths(told: &Told<'_>, members: &Map<String, Value>) -> Vec<String> {
    if !told.header_is("x-gitlab-event", "Push Hook") {
        return Vec::new();
    }
    files_of_commits(members)
}
