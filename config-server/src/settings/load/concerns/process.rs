//! The process: its name, its profiles, where its own settings and its data are.

use std::path::PathBuf;

use super::Binder;
use crate::settings::LogFormat;
use crate::settings::load::known::{Group, Kind, key};

pub(crate) static GROUP: Group = Group {
    title: "The process",
    prefixes: &["spring"],
    keys: &[
        key(
            "application.name",
            Kind::Text,
            "config-server",
            "The first part of the server's id on the bus.",
        ),
        key(
            "application.index",
            Kind::Text,
            "",
            "The index in the server's id on the bus; the port unless set.",
        ),
        key(
            "profiles.active",
            Kind::List,
            "",
            "Profiles of the server itself: they select files, and `git`, `native` and `composite` select backends.",
        ),
        key("profiles.include", Kind::List, "", "Profiles added to the active ones."),
        key(
            "profiles.validate",
            Kind::Flag,
            "true",
            "Refuse requests whose profiles are not made of letters, digits and `-_.+@`.",
        ),
        key(
            "profiles.group.<key>",
            Kind::Values,
            "",
            "Profiles that come with another one.",
        ),
        key(
            "config.name",
            Kind::List,
            "application",
            "Names of the settings files, without extension.",
        ),
        key(
            "config.location",
            Kind::List,
            "./, ./config/",
            "Files, and directories ending in `/`, that hold the settings. Later ones win.",
        ),
        key(
            "config.additional-location",
            Kind::List,
            "",
            "Further files and directories; they win over the ones above.",
        ),
        key(
            "config.import",
            Kind::List,
            "",
            "Further files, from within a settings file; relative to it.",
        ),
        key(
            "config.activate.on-profile",
            Kind::List,
            "",
            "Within a settings file: the document counts for these profiles only.",
        ),
    ],
};

pub(crate) static OURS: Group = Group {
    title: "Data and log",
    prefixes: &["config-bus"],
    keys: &[
        key(
            "data-dir",
            Kind::Path,
            "config-bus-data",
            "Where mirrors and the state file are kept between starts.",
        ),
        key(
            "log.format",
            Kind::Choice(&["text", "json"]),
            "text",
            "How lines of the log look.",
        ),
    ],
};

pub(super) fn data_dir(binder: &Binder<'_>) -> PathBuf {
    binder.open(&OURS).path("data-dir").unwrap_or_default()
}

pub(super) fn log_format(binder: &Binder<'_>) -> LogFormat {
    match binder.open(&OURS).choice("log.format") {
        1 => LogFormat::Json,
        _ => LogFormat::Text,
    }
}
