//! Which backends there are, and in which order.

use super::{Binder, git, native};
use crate::settings::backend::Backend;
use crate::settings::load::fault::{Reason, SettingFault};
use crate::settings::load::known::{Group, Kind, key};
use crate::settings::load::view::View;

const COMPOSITE: &str = "spring.cloud.config.server.composite";
const LAST: i32 = i32::MAX;

pub(crate) static GROUP: Group = Group {
    title: "Backends",
    prefixes: &["spring.cloud.config.server"],
    keys: &[
        key(
            "default-label",
            Kind::Text,
            "",
            "The label of requests without one, for every backend, whatever the backend says.",
        ),
        key(
            "fail-on-composite-error",
            Kind::Flag,
            "true",
            "With several backends: one that fails makes the request fail.",
        ),
        key(
            "composite[<n>].type",
            Kind::Choice(&["git", "native"]),
            "",
            "The backend of this place in the list, when the profile `composite` is active.",
        ),
        key(
            "composite[<n>].order",
            Kind::Count,
            "",
            "Its rank: the lowest comes first; its place in the list unless set.",
        ),
        key("git.order", Kind::Count, "", "Its rank beside other backends."),
        key("native.order", Kind::Count, "", "Its rank beside other backends."),
    ],
};

/// Backends of the stock server that this one does not have: their profiles, settings and types.
const ELSEWHERE: &[&str] = &[
    "svn",
    "subversion",
    "vault",
    "jdbc",
    "redis",
    "mongodb",
    "awss3",
    "aws-secretsmanager",
    "awssecretsmanager",
    "awsparamstore",
    "aws-parameter-store",
    "gcp-secret-manager",
    "secret-manager",
    "credhub",
];

pub(crate) const NOT_HERE: Reason =
    Reason::NotSupported("this server has the backends `git`, `native` and `composite`");

/// Whether `name` is a backend of the stock server that this one does not have.
pub(crate) fn is_elsewhere(name: &str) -> bool {
    ELSEWHERE.iter().any(|other| other.eq_ignore_ascii_case(name))
}

pub(super) fn bind(binder: &Binder<'_>) -> Backend {
    let mut members = Vec::new();
    for profile in binder.profiles {
        match profile.as_str() {
            "composite" => members.extend(composite(binder)),
            "git" => members.push((order(binder, "git.order", LAST), git_backend(binder))),
            "native" => members.push((order(binder, "native.order", LAST), native_backend(binder))),
            other if is_elsewhere(other) => refuse_profile(binder, other),
            _ => {}
        }
    }
    members.sort_by_key(|(order, _)| *order);
    let mut members: Vec<Backend> = members.into_iter().map(|(_, backend)| backend).collect();
    match members.len() {
        0 => git_backend(binder),
        1 => members.remove(0),
        _ => Backend::Composite {
            members,
            fail_on_error: binder.open(&GROUP).flag("fail-on-composite-error"),
        },
    }
}

fn git_backend(binder: &Binder<'_>) -> Backend {
    Backend::Git(git::bind(binder, git::PREFIX))
}

fn native_backend(binder: &Binder<'_>) -> Backend {
    Backend::Native(native::bind(binder, native::PREFIX))
}

fn composite(binder: &Binder<'_>) -> Vec<(i32, Backend)> {
    let view = binder.open(&GROUP);
    let mut places: Vec<usize> = view
        .names("composite")
        .iter()
        .filter_map(|name| name.parse().ok())
        .collect();
    places.sort_unstable();
    if places.is_empty() {
        let reason = Reason::Missing("the profile `composite` is active, so list its backends here");
        view.fault("composite[<n>].type", reason);
    }
    places.into_iter().filter_map(|place| member(binder, place)).collect()
}

fn member(binder: &Binder<'_>, place: usize) -> Option<(i32, Backend)> {
    let at = format!("{COMPOSITE}[{place}]");
    let view = binder.open_at(&MEMBER, &at);
    let rank = number(&view, "order", i32::try_from(place).unwrap_or(LAST).saturating_add(1));
    let kind = view.text_or_default("type");
    match kind.trim() {
        "git" => Some((rank, Backend::Git(git::bind(binder, &at)))),
        "native" => Some((rank, Backend::Native(native::bind(binder, &at)))),
        "" => {
            view.fault("type", Reason::Missing("`git` or `native`"));
            None
        }
        other if is_elsewhere(other) => {
            view.fault("type", NOT_HERE);
            None
        }
        _ => {
            view.wrong("type", "`git` or `native`");
            None
        }
    }
}

/// The rows of one place in the list, seen from there.
static MEMBER: Group = Group {
    title: "",
    prefixes: &["spring.cloud.config.server.composite[<n>]"],
    keys: &[key("type", Kind::Text, "", ""), key("order", Kind::Count, "", "")],
};

fn order(binder: &Binder<'_>, name: &str, default: i32) -> i32 {
    number(&binder.open(&GROUP), name, default)
}

fn number(view: &View<'_>, name: &str, default: i32) -> i32 {
    match view.written(name) {
        Some(_) => view.number(name, "a whole number"),
        None => default,
    }
}

fn refuse_profile(binder: &Binder<'_>, profile: &str) {
    let key = format!("spring.profiles.active: `{profile}`");
    binder.faults.borrow_mut().push(SettingFault::absent(key, NOT_HERE));
}

/// What a backend's label is: the setting of all backends wins over its own.
pub(super) fn default_label(binder: &Binder<'_>, own: &View<'_>) -> String {
    let common = binder.open(&GROUP).text("default-label");
    common.unwrap_or_else(|| own.text_or_default("default-label"))
}
