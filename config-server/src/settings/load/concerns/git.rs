//! `spring.cloud.config.server.git.*`, its pattern repositories, and git members of a composite.

use std::time::Duration;

use super::backend::default_label;
use super::{Binder, process, serving};
use crate::engine::document::Limits;
use crate::settings::backend::{Credentials, Freshness, GitSettings, PatternRepo, Proxy, SshSettings};
use crate::settings::load::fault::Reason;
use crate::settings::load::known::{Group, Kind, key};
use crate::settings::load::units::Unit;
use crate::settings::load::view::View;

pub(super) const PREFIX: &str = "spring.cloud.config.server.git";

pub(crate) static GROUP: Group = Group {
    title: "Git repositories",
    prefixes: &[
        "spring.cloud.config.server.git",
        "spring.cloud.config.server.git.repos.<name>",
        "spring.cloud.config.server.composite[<n>]",
        "spring.cloud.config.server.composite[<n>].repos.<name>",
    ],
    keys: &[
        key(
            "uri",
            Kind::Text,
            "",
            "The repository: a URL, `user@host:path`, or a path. May hold `{application}`, `{profile}` and `{label}`, but not in the host.",
        ),
        key(
            "default-label",
            Kind::Text,
            "main",
            "The label of requests without one.",
        ),
        key(
            "try-master-branch",
            Kind::Flag,
            "true",
            "Look for `master` when there is no `main`.",
        ),
        key(
            "search-paths",
            Kind::List,
            "",
            "Directories that are searched besides the root; placeholders and `*` allowed.",
        ),
        key(
            "refresh-rate",
            Kind::Time(Unit::Seconds),
            "",
            "How often the remote is looked at. Unless set: in the background, every 30 s. `0`: every read waits for a look at the remote. Negative: only webhooks and refresh calls look.",
        ),
        key("timeout", Kind::Time(Unit::Seconds), "5", "All of one fetch or clone."),
        key(
            "basedir",
            Kind::Path,
            "",
            "Where mirrors are kept; below `config-bus.data-dir` unless set.",
        ),
        key(
            "clone-on-start",
            Kind::Flag,
            "false",
            "Clone before the first request is taken, and do not start without.",
        ),
        key(
            "delete-untracked-branches",
            Kind::Flag,
            "false",
            "Forget branches that are gone from the remote.",
        ),
        key(
            "continue-on-multiple-label-failure",
            Kind::Flag,
            "false",
            "Requests for several labels: leave out unknown ones.",
        ),
        key("username", Kind::Text, "", "Who logs in at the remote."),
        key("password", Kind::Secret, "", "The password or token."),
        key("passphrase", Kind::Secret, "", "Opens the SSH key."),
        key(
            "ignore-local-ssh-settings",
            Kind::Flag,
            "false",
            "Take the keys below instead of `~/.ssh`.",
        ),
        key("private-key", Kind::Secret, "", "The SSH key, in PEM."),
        key("host-key", Kind::Text, "", "The remote's key."),
        key("host-key-algorithm", Kind::Text, "", "Its algorithm."),
        key("known-hosts-file", Kind::Path, "", "Keys of remotes."),
        key(
            "strict-host-key-checking",
            Kind::Flag,
            "true",
            "Refuse remotes whose key is not known.",
        ),
        key(
            "preferred-authentications",
            Kind::Text,
            "",
            "Ways to log in over SSH, in order.",
        ),
        key(
            "skip-ssl-validation",
            Kind::Flag,
            "false",
            "Take any certificate of the remote.",
        ),
        key("proxy.http.host", Kind::Text, "", "Proxy of `http:` remotes."),
        key("proxy.http.port", Kind::Port, "", "Its port."),
        key(
            "proxy.http.non-proxy-hosts",
            Kind::Text,
            "",
            "Hosts reached without it, `|` between them.",
        ),
        key("proxy.http.username", Kind::Text, "", "Who logs in there."),
        key("proxy.http.password", Kind::Secret, "", "The password."),
        key("proxy.https.host", Kind::Text, "", "Proxy of `https:` remotes."),
        key("proxy.https.port", Kind::Port, "", "Its port."),
        key(
            "proxy.https.non-proxy-hosts",
            Kind::Text,
            "",
            "Hosts reached without it, `|` between them.",
        ),
        key("proxy.https.username", Kind::Text, "", "Who logs in there."),
        key("proxy.https.password", Kind::Secret, "", "The password."),
        key(
            "force-pull",
            Kind::Ignored,
            "",
            "Nothing to force: there is no work tree.",
        ),
        key("clone-submodules", Kind::Refused, "false", "submodules are not fetched"),
    ],
};

pub(crate) static PATTERN: Group = Group {
    title: "Pattern repositories",
    prefixes: &[
        "spring.cloud.config.server.git.repos.<name>",
        "spring.cloud.config.server.composite[<n>].repos.<name>",
    ],
    keys: &[
        key("", Kind::Text, "", "The repository's URI, as a short form."),
        key(
            "pattern",
            Kind::List,
            "",
            "`application/profile` patterns with `*`; the name unless set.",
        ),
        key("name", Kind::Ignored, "", "The place in the map is its name."),
    ],
};

pub(crate) static OURS: Group = Group {
    title: "Limits of git repositories",
    prefixes: &["config-bus.git"],
    keys: &[
        key(
            "ca-file",
            Kind::Path,
            "",
            "Certificates (PEM) trusted at remotes besides the system's.",
        ),
        key(
            "max-mirrors",
            Kind::Count,
            "64",
            "Mirrors kept for one URI with placeholders.",
        ),
    ],
};

/// The repository at `at` with its pattern repositories.
pub(super) fn bind(binder: &Binder<'_>, at: &str) -> GitSettings {
    let view = binder.open_at(&GROUP, at);
    let mut git = repository(binder, &view);
    if git.uri.is_empty() {
        view.fault(
            "uri",
            Reason::Missing("the repository to serve (`--repo <url or path>`)"),
        );
    }
    git.repos = view
        .names("repos")
        .into_iter()
        .map(|name| pattern_repository(binder, at, &git, name))
        .collect();
    git
}

fn pattern_repository(binder: &Binder<'_>, parent_at: &str, parent: &GitSettings, name: String) -> PatternRepo {
    let at = format!("{parent_at}.repos[{name}]");
    let view = binder.open_at(&GROUP, &at);
    let pattern = binder.open_at(&PATTERN, &at);
    let mut git = repository(binder, &view);
    if git.uri.is_empty() {
        git.uri = pattern.text_or_default("").into();
    }
    if git.uri.is_empty() {
        view.fault("uri", Reason::Missing("the repository of this pattern"));
    }
    inherit(&mut git, parent, &view);
    let mut patterns = pattern.list("pattern");
    if patterns.is_empty() {
        patterns.push(name.clone());
    }
    PatternRepo { name, patterns, git }
}

/// What a pattern repository takes from its parent (contract 2.7).
fn inherit(git: &mut GitSettings, parent: &GitSettings, view: &View<'_>) {
    if git.credentials.username.is_none() {
        git.credentials.username.clone_from(&parent.credentials.username);
        git.credentials.password.clone_from(&parent.credentials.password);
    }
    if git.credentials.passphrase.is_none() {
        git.credentials.passphrase.clone_from(&parent.credentials.passphrase);
    }
    if !view.has("timeout") {
        git.timeout = parent.timeout;
    }
    if !view.has("refresh-rate") {
        git.freshness = parent.freshness;
    }
    if !view.has("basedir") {
        git.basedir.clone_from(&parent.basedir);
    }
    git.skip_ssl_validation |= parent.skip_ssl_validation;
    if !view.has("ignore-local-ssh-settings") && !view.has("private-key") {
        git.ssh = parent.ssh.clone();
    }
    if git.proxies.is_empty() {
        git.proxies.clone_from(&parent.proxies);
    }
}

fn repository(binder: &Binder<'_>, view: &View<'_>) -> GitSettings {
    let ours = binder.open(&OURS);
    let basedir = view.path("basedir");
    GitSettings {
        uri: view.text_or_default("uri").into(),
        default_label: default_label(binder, view),
        try_master_branch: view.flag("try-master-branch"),
        search_paths: view.list("search-paths"),
        freshness: freshness(view),
        timeout: view.time("timeout"),
        basedir: basedir.unwrap_or_else(|| process::data_dir(binder).join("mirrors")),
        clone_on_start: view.flag("clone-on-start"),
        delete_untracked_branches: view.flag("delete-untracked-branches"),
        continue_on_multiple_label_failure: view.flag("continue-on-multiple-label-failure"),
        reverse_location_order: serving::reverse_location_order(binder),
        credentials: credentials(view),
        ssh: ssh(view),
        skip_ssl_validation: view.flag("skip-ssl-validation"),
        ca_file: ours.path("ca-file"),
        proxies: ["http", "https"]
            .into_iter()
            .filter_map(|scheme| proxy(view, scheme))
            .collect(),
        repos: Vec::new(),
        limits: limits(binder),
        max_mirrors: ours.count("max-mirrors"),
    }
}

fn freshness(view: &View<'_>) -> Freshness {
    if !view.has("refresh-rate") {
        return Freshness::default();
    }
    match view.signed_time("refresh-rate") {
        None => Freshness::Manual,
        Some(Duration::ZERO) => Freshness::Strict,
        Some(period) => Freshness::Background(period),
    }
}

fn credentials(view: &View<'_>) -> Credentials {
    Credentials {
        username: view.text("username"),
        password: view.secret("password"),
        passphrase: view.secret("passphrase"),
    }
}

fn ssh(view: &View<'_>) -> SshSettings {
    let ssh = SshSettings {
        ignore_local: view.flag("ignore-local-ssh-settings"),
        private_key: view.secret("private-key"),
        host_key: view.text("host-key"),
        host_key_algorithm: view.text("host-key-algorithm"),
        known_hosts_file: view.path("known-hosts-file"),
        strict_host_key_checking: view.flag("strict-host-key-checking"),
        preferred_authentications: view.text("preferred-authentications"),
    };
    match (&ssh.host_key, &ssh.host_key_algorithm) {
        (Some(_), None) => view.fault("host-key-algorithm", Reason::Missing("`host-key` is set")),
        (None, Some(_)) => view.fault("host-key", Reason::Missing("`host-key-algorithm` is set")),
        _ => {}
    }
    ssh
}

fn proxy(view: &View<'_>, scheme: &'static str) -> Option<Proxy> {
    let name = |key: &str| format!("proxy.{scheme}.{key}");
    let host = view.text(&name("host"))?;
    Some(Proxy {
        scheme: scheme.into(),
        host,
        port: view.number(&name("port"), "a port: a number from 1 to 65535"),
        non_proxy_hosts: view
            .text_or_default(&name("non-proxy-hosts"))
            .split(['|', ','])
            .map(str::trim)
            .filter(|host| !host.is_empty())
            .map(str::to_owned)
            .collect(),
        username: view.text(&name("username")),
        password: view.secret(&name("password")),
    })
}

pub(super) fn limits(binder: &Binder<'_>) -> Limits {
    let view = binder.open(&serving::OURS);
    Limits {
        file_size: view.size("limits.file-size"),
        depth: view.count("limits.depth"),
        nodes: view.count("limits.nodes"),
        expansion: view.size("limits.expansion"),
    }
}
