//! The webhook door.

use std::time::Duration;

use super::Binder;
use super::serving::leading_slash;
use crate::settings::load::known::{Group, Kind, key};
use crate::settings::load::units::Unit;
use crate::settings::monitor::{MonitorSettings, Provider};

pub(crate) static GROUP: Group = Group {
    title: "Webhooks",
    prefixes: &["spring.cloud.config"],
    keys: &[
        key("monitor.endpoint.path", Kind::Text, "", "Stands before `/monitor`."),
        key(
            "server.monitor.fixed-delay",
            Kind::Time(Unit::Millis),
            "5s",
            "How often native directories are looked through, besides being watched.",
        ),
    ],
};

pub(crate) static PROVIDER: Group = Group {
    title: "Webhooks by provider",
    prefixes: &["spring.cloud.config.server.monitor"],
    keys: &[
        key("github.enabled", Kind::Flag, "true", "Take pushes of GitHub."),
        key("gitlab.enabled", Kind::Flag, "true", "Of GitLab."),
        key("gitee.enabled", Kind::Flag, "true", "Of Gitee."),
        key("gogs.enabled", Kind::Flag, "true", "Of Gogs."),
        key("gitea.enabled", Kind::Flag, "true", "Of Gitea."),
        key(
            "bitbucket.enabled",
            Kind::Flag,
            "true",
            "Of Bitbucket, cloud and server.",
        ),
        key("azure.enabled", Kind::Flag, "true", "Of Azure DevOps."),
        key("generic.enabled", Kind::Flag, "true", "Take calls that name paths."),
    ],
};

pub(crate) static OURS: Group = Group {
    title: "Secrets of webhooks",
    prefixes: &["config-bus.monitor"],
    keys: &[
        key(
            "github.secret",
            Kind::Secret,
            "",
            "Calls of GitHub must be signed with it.",
        ),
        key(
            "gitlab.secret",
            Kind::Secret,
            "",
            "The token that calls of GitLab must carry.",
        ),
        key(
            "gitee.secret",
            Kind::Secret,
            "",
            "The password that calls of Gitee must carry, or be signed with.",
        ),
        key("gogs.secret", Kind::Secret, "", "Calls of Gogs must be signed with it."),
        key(
            "gitea.secret",
            Kind::Secret,
            "",
            "Calls of Gitea must be signed with it.",
        ),
        key(
            "bitbucket.secret",
            Kind::Secret,
            "",
            "Calls of Bitbucket must be signed with it.",
        ),
        key(
            "azure.secret",
            Kind::Secret,
            "",
            "The password that calls of Azure DevOps must carry.",
        ),
        key(
            "generic.secret",
            Kind::Secret,
            "",
            "The token that other calls must carry.",
        ),
    ],
};

/// How often native directories are looked through.
pub(super) fn fixed_delay(binder: &Binder<'_>) -> Duration {
    binder.open(&GROUP).time("server.monitor.fixed-delay")
}

pub(super) fn bind(binder: &Binder<'_>) -> MonitorSettings {
    let view = binder.open(&GROUP);
    let providers = binder.open(&PROVIDER);
    let ours = binder.open(&OURS);
    let off = |provider: &Provider| !providers.flag(&format!("{}.enabled", provider.name()));
    let secret = |provider: Provider| Some((provider, ours.secret(&format!("{}.secret", provider.name()))?));
    MonitorSettings {
        path: leading_slash(&view.text_or_default("monitor.endpoint.path")),
        disabled: Provider::ALL.into_iter().filter(off).collect(),
        secrets: Provider::ALL.into_iter().filter_map(secret).collect(),
    }
}
