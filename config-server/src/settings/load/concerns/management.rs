//! `management.*`, where it has a meaning here.

use std::collections::BTreeMap;

use super::Binder;
use super::serving::leading_slash;
use crate::settings::load::known::{Group, Kind, key};
use crate::settings::load::view::View;
use crate::settings::management::{Access, Exposure, ManagementSettings, Show};

const ACCESS: Kind = Kind::Choice(&["none", "read-only", "unrestricted"]);
const SHOW: Kind = Kind::Choice(&["never", "when-authorized", "always"]);

pub(crate) static GROUP: Group = Group {
    title: "Actuator",
    prefixes: &["management"],
    keys: &[
        key(
            "endpoints.web.base-path",
            Kind::Text,
            "/actuator",
            "Where the endpoints are.",
        ),
        key(
            "endpoints.web.exposure.include",
            Kind::List,
            "health",
            "Endpoints that answer; `*` for all.",
        ),
        key(
            "endpoints.web.exposure.exclude",
            Kind::List,
            "",
            "Endpoints that do not; wins over the above.",
        ),
        key(
            "endpoints.enabled-by-default",
            Kind::Flag,
            "true",
            "Whether endpoints are on unless said otherwise.",
        ),
        key(
            "endpoints.access.default",
            ACCESS,
            "unrestricted",
            "The newer name of the above: `none` is off, `read-only` answers no `POST`.",
        ),
        key(
            "endpoint.<name>.enabled",
            Kind::Flag,
            "true",
            "Whether this endpoint is on.",
        ),
        key(
            "endpoint.<name>.access",
            ACCESS,
            "unrestricted",
            "The newer name of the above.",
        ),
        key(
            "endpoint.health.show-details",
            SHOW,
            "never",
            "Who sees the details of health.",
        ),
        key(
            "endpoint.health.show-components",
            SHOW,
            "",
            "Who sees its components; as the details unless set.",
        ),
        key(
            "endpoint.env.show-values",
            SHOW,
            "never",
            "Who sees values of the server's own settings.",
        ),
        key(
            "server.port",
            Kind::Refused,
            "",
            "the actuator answers on `server.port`",
        ),
        key(
            "server.address",
            Kind::Refused,
            "",
            "the actuator answers on `server.address`",
        ),
    ],
};

/// The rows of one endpoint, seen from there.
static ENDPOINT: Group = Group {
    title: "",
    prefixes: &["management.endpoint.<name>"],
    keys: &[
        key("enabled", Kind::Flag, "true", ""),
        key("access", ACCESS, "unrestricted", ""),
    ],
};

pub(super) fn bind(binder: &Binder<'_>) -> ManagementSettings {
    let view = binder.open(&GROUP);
    let components = "endpoint.health.show-components";
    ManagementSettings {
        base_path: leading_slash(&view.text_or_default("endpoints.web.base-path")),
        exposure: Exposure {
            include: view.list("endpoints.web.exposure.include"),
            exclude: view.list("endpoints.web.exposure.exclude"),
        },
        endpoints: endpoints(binder, &view),
        default_access: access(&view, "endpoints.enabled-by-default", "endpoints.access.default"),
        health_details: show(&view, "endpoint.health.show-details"),
        health_components: view.written(components).map(|_| show(&view, components)),
        env_values: show(&view, "endpoint.env.show-values"),
    }
}

fn endpoints(binder: &Binder<'_>, view: &View<'_>) -> BTreeMap<String, Access> {
    let state = |id: String| {
        let endpoint = binder.open_at(&ENDPOINT, &format!("management.endpoint[{id}]"));
        let written = endpoint.has("enabled") || endpoint.has("access");
        written.then(|| (id, access(&endpoint, "enabled", "access")))
    };
    view.names("endpoint").into_iter().filter_map(state).collect()
}

/// By the older name and the newer one: the stricter counts.
fn access(view: &View<'_>, enabled: &str, access: &str) -> Access {
    match (view.flag(enabled), view.choice(access)) {
        (false, _) | (_, 0) => Access::None,
        (_, 1) => Access::ReadOnly,
        _ => Access::Unrestricted,
    }
}

fn show(view: &View<'_>, name: &str) -> Show {
    match view.choice(name) {
        1 => Show::WhenAuthorized,
        2 => Show::Always,
        _ => Show::Never,
    }
}
