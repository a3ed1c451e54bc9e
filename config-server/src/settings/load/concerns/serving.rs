//! What is answered: `spring.cloud.config.server.*`, `config-bus.*`.

use super::Binder;
use super::process;
use crate::settings::load::known::{Group, Kind, key};
use crate::settings::secret::Secret;
use crate::settings::serving::{Gate, HealthCheck, HealthSettings, ServingSettings};

pub(crate) static GROUP: Group = Group {
    title: "Answers",
    prefixes: &["spring.cloud.config.server"],
    keys: &[
        key(
            "prefix",
            Kind::Text,
            "",
            "Stands before every path but `/monitor` and the actuator.",
        ),
        key(
            "accept-empty",
            Kind::Flag,
            "true",
            "An environment without sources is an answer, not a 404.",
        ),
        key(
            "strip-document-from-yaml",
            Kind::Flag,
            "true",
            "A file that is a list or a text is served as such in `.yml`.",
        ),
        key(
            "reverse-location-order",
            Kind::Flag,
            "false",
            "Plain files: the last search path wins over the root.",
        ),
        key(
            "overrides.<key>",
            Kind::Values,
            "",
            "The first source of every answer. Write `\\${x}` for a placeholder that the client resolves.",
        ),
        key(
            "default-application-name",
            Kind::Ignored,
            "",
            "One key is for all applications: names select none.",
        ),
        key(
            "default-profile",
            Kind::Ignored,
            "",
            "One key is for all profiles: names select none.",
        ),
        key(
            "health.enabled",
            Kind::Flag,
            "true",
            "Look up environments in the health endpoint.",
        ),
        key(
            "health.repositories.<name>",
            Kind::Text,
            "",
            "A lookup by its application, as a short form.",
        ),
        key(
            "health.repositories.<name>.name",
            Kind::Text,
            "",
            "The application; the name in the map unless set.",
        ),
        key(
            "health.repositories.<name>.profiles",
            Kind::Text,
            "default",
            "Its profiles.",
        ),
        key("health.repositories.<name>.label", Kind::Text, "", "Its label."),
        key(
            "health.down-health-status",
            Kind::Text,
            "DOWN",
            "The status of a failed lookup.",
        ),
        key(
            "health.accept-empty",
            Kind::Flag,
            "",
            "A lookup without sources is up; `accept-empty` unless set.",
        ),
        key("enabled", Kind::Refused, "true", "a config server that serves nothing"),
        key(
            "bootstrap",
            Kind::Refused,
            "false",
            "the server does not read its own settings from the repository it serves",
        ),
        key(
            "consul.watch.enabled",
            Kind::Ignored,
            "",
            "There is no Vault backend whose state it would carry.",
        ),
    ],
};

pub(crate) static OURS: Group = Group {
    title: "Safety and limits",
    prefixes: &["config-bus"],
    keys: &[
        key(
            "gate",
            Kind::Choice(&["application", "commit", "off"]),
            "application",
            "Who keeps the last good commit when a newer one has a file that cannot be read: the applications that read it, everybody, or nobody.",
        ),
        key("cache-size", Kind::Size, "64MiB", "Rendered answers kept in memory."),
        key("limits.file-size", Kind::Size, "4MiB", "One configuration file."),
        key("limits.depth", Kind::Count, "200", "Levels of nesting in a file."),
        key(
            "limits.nodes",
            Kind::Count,
            "200000",
            "Nodes of a file after aliases are expanded; directories that the pattern of a search path or an import looks into.",
        ),
        key(
            "limits.expansion",
            Kind::Size,
            "64MiB",
            "What aliases, nested keys or placeholders may grow a file or an answer to.",
        ),
        key("limits.applications", Kind::Count, "16", "Applications in one request."),
        key("limits.profiles", Kind::Count, "32", "Profiles in one request."),
    ],
};

pub(super) fn bind(binder: &Binder<'_>) -> ServingSettings {
    let view = binder.open(&GROUP);
    let ours = binder.open(&OURS);
    let overrides = view.values("overrides").into_iter();
    let overrides = overrides.map(|(key, written)| (key, Secret::new(unescape(&written.text))));
    ServingSettings {
        accept_empty: view.flag("accept-empty"),
        strip_document: view.flag("strip-document-from-yaml"),
        overrides: overrides.collect(),
        validate_profiles: binder.open(&process::GROUP).flag("profiles.validate"),
        gate: gate(binder),
        cache_bytes: ours.size("cache-size") as u64,
        max_applications: ours.count("limits.applications"),
        max_profiles: ours.count("limits.profiles"),
        health: health(binder),
    }
}

pub(super) fn prefix(binder: &Binder<'_>) -> String {
    leading_slash(&binder.open(&GROUP).text_or_default("prefix"))
}

pub(super) fn reverse_location_order(binder: &Binder<'_>) -> bool {
    binder.open(&GROUP).flag("reverse-location-order")
}

/// A path as it stands before others: beginning with `/`, not ending with one, or empty.
pub(super) fn leading_slash(path: &str) -> String {
    match path.trim().trim_matches('/') {
        "" => String::new(),
        path => format!("/{path}"),
    }
}

fn gate(binder: &Binder<'_>) -> Gate {
    match binder.open(&OURS).choice("gate") {
        1 => Gate::Commit,
        2 => Gate::Off,
        _ => Gate::Application,
    }
}

fn health(binder: &Binder<'_>) -> HealthSettings {
    let view = binder.open(&GROUP);
    let mut repositories: Vec<HealthCheck> = view
        .names("health.repositories")
        .iter()
        .map(|name| check(binder, name))
        .collect();
    if repositories.is_empty() {
        repositories.push(HealthCheck::named("app"));
    }
    HealthSettings {
        enabled: view.flag("health.enabled"),
        repositories,
        down_status: view.text_or_default("health.down-health-status"),
        accept_empty: match view.written("health.accept-empty") {
            Some(_) => view.flag("health.accept-empty"),
            None => view.flag("accept-empty"),
        },
    }
}

fn check(binder: &Binder<'_>, name: &str) -> HealthCheck {
    let at = format!("spring.cloud.config.server.health.repositories[{name}]");
    let view = binder.open_at(&CHECK, &at);
    let named = HealthCheck::named(name);
    HealthCheck {
        name: view.text("name").or_else(|| view.text("")).unwrap_or(named.name),
        profiles: view.text("profiles").unwrap_or(named.profiles),
        label: view.text("label"),
    }
}

/// The rows of one lookup, seen from there.
static CHECK: Group = Group {
    title: "",
    prefixes: &["spring.cloud.config.server.health.repositories.<name>"],
    keys: &[
        key("", Kind::Text, "", ""),
        key("name", Kind::Text, "", ""),
        key("profiles", Kind::Text, "", ""),
        key("label", Kind::Text, "", ""),
    ],
};

/// `\{` is how an override spells a brace that the server leaves alone (contract 2.7).
fn unescape(text: &str) -> String {
    text.replace("\\{", "{")
}
