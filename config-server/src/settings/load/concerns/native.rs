//! `spring.cloud.config.server.native.*`, and native members of a composite.

use super::backend::default_label;
use super::git::limits;
use super::{Binder, monitor};
use crate::settings::backend::NativeSettings;
use crate::settings::load::fault::Reason;
use crate::settings::load::known::{Group, Kind, key};

pub(super) const PREFIX: &str = "spring.cloud.config.server.native";

pub(crate) static GROUP: Group = Group {
    title: "Directories (native)",
    prefixes: &[
        "spring.cloud.config.server.native",
        "spring.cloud.config.server.composite[<n>]",
    ],
    keys: &[
        key(
            "search-locations",
            Kind::List,
            "file:./, file:./config/",
            "Directories as `file:` locations; placeholders allowed.",
        ),
        key(
            "add-label-locations",
            Kind::Flag,
            "true",
            "Look also into the directory named like the label in each of them.",
        ),
        key(
            "default-label",
            Kind::Text,
            "master",
            "The label of requests without one.",
        ),
        key("version", Kind::Text, "", "The `version` of answers."),
        key(
            "fail-on-error",
            Kind::Flag,
            "false",
            "A file that cannot be read makes the request fail.",
        ),
    ],
};

pub(super) fn bind(binder: &Binder<'_>, at: &str) -> NativeSettings {
    let view = binder.open_at(&GROUP, at);
    let search_locations = view.list("search-locations");
    if search_locations
        .iter()
        .any(|location| location.starts_with("classpath:"))
    {
        view.fault(
            "search-locations",
            Reason::NotSupported("there is no class path here; name a directory, `file:/...`"),
        );
    }
    NativeSettings {
        search_locations,
        add_label_locations: view.flag("add-label-locations"),
        default_label: default_label(binder, &view),
        version: view.text("version"),
        fail_on_error: view.flag("fail-on-error"),
        look_every: monitor::fixed_delay(binder),
        limits: limits(binder),
    }
}
