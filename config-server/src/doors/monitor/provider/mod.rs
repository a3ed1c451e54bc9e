//! Who calls, and which paths it says have changed.
//!
//! One file each. The order in [`ORDER`] is that of the stock server: GitHub, then a plain `path`,
//! then the rest; the first that finds something is right. A Gitea that sends GitHub's headers too is
//! therefore read by files.

mod azure;
mod bitbucket;
mod generic;
mod gitea;
mod gitee;
mod github;
mod gitlab;
mod gogs;

use serde_json::{Map, Value};

use super::call::{Content, Told};
use crate::settings::MonitorSettings;
use crate::settings::monitor::Provider;

/// A file that every application reads: what a provider that names no paths is taken to have changed.
const SHARED: &str = "application.yml";

/// Finds the changed paths in a call of one provider; empty when it is not of its kind.
type Reader = fn(&Told<'_>, &Map<String, Value>) -> Vec<String>;

const ORDER: [(Provider, Reader); 8] = [
    (Provider::Github, github::paths),
    (Provider::Generic, generic::paths),
    (Provider::Gitlab, gitlab::paths),
    (Provider::Bitbucket, bitbucket::paths),
    (Provider::Gitea, gitea::paths),
    (Provider::Gitee, gitee::paths),
    (Provider::Gogs, gogs::paths),
    (Provider::Azure, azure::paths),
];

/// The paths that a call says have changed.
#[must_use]
pub fn paths(told: &Told<'_>, settings: &MonitorSettings) -> Vec<String> {
    let members = match &told.content {
        Content::Form(paths) => return paths.clone(),
        Content::Json(members) => members,
    };
    let readers = ORDER.iter().filter(|(provider, _)| settings.enabled(*provider));
    let mut found = readers.map(|(_, paths)| paths(told, members));
    found.find(|paths| !paths.is_empty()).unwrap_or_default()
}

/// Who calls, by what only that provider sends. Gitea and Gogs send GitHub's headers, too.
#[must_use]
pub fn caller(told: &Told<'_>) -> Provider {
    const MARKS: [(&str, Provider); 7] = [
        ("x-gitea-event", Provider::Gitea),
        ("x-gogs-event", Provider::Gogs),
        ("x-github-event", Provider::Github),
        ("x-gitlab-event", Provider::Gitlab),
        ("x-gitee-event", Provider::Gitee),
        ("x-git-oschina-event", Provider::Gitee),
        ("x-event-key", Provider::Bitbucket),
    ];
    let marked = MARKS.into_iter().find(|(header, _)| told.has_header(header));
    match (marked, &told.content) {
        (Some((_, provider)), _) => provider,
        (None, Content::Json(members)) if azure::is_push(members) => Provider::Azure,
        (None, _) => Provider::Generic,
    }
}

/// The files of every commit in `commits`: added, removed, modified.
fn files_of_commits(members: &Map<String, Value>) -> Vec<String> {
    let commits = members.get("commits").and_then(Value::as_array).into_iter().flatten();
    let files = commits.flat_map(|commit| {
        ["added", "removed", "modified"]
            .into_iter()
            .filter_map(|kind| commit.get(kind)?.as_array())
            .flatten()
    });
    files.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Something that everybody reads, when `found`.
fn shared_when(found: bool) -> Vec<String> {
    if found { vec![SHARED.to_owned()] } else { Vec::new() }
}
