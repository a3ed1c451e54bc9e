//! Gitee, by the header it had as OSChina; the newer `X-Gitee-Event` alone is not read by the stock
//! server.

use serde_json::{Map, Value};

use super::files_of_commits;
use crate::doors::monitor::call::Told;

pub(super) fn paths(told: &Told<'_>, members: &Map<String, Value>) -> Vec<String> {
    if !told.header_is("x-git-oschina-event", "Push Hook") {
        return Vec::new();
    }
    files_of_commits(members)
}
