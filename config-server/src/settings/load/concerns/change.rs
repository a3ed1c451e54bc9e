//! What happens when a head moves: `config-bus.*`.

use contract::{AppName, BusId, Profile};

use super::{Binder, bus, http, process};
use crate::settings::change::ChangeSettings;
use crate::settings::load::known::{Group, Kind, key};
use crate::settings::load::units::Unit;

pub(crate) static OURS: Group = Group {
    title: "Announcing changes",
    prefixes: &["config-bus"],
    keys: &[
        key(
            "spread",
            Kind::Time(Unit::Seconds),
            "10s",
            "The longest time over which agents spread their fetches, and their reports, after an event. Up to 1,000 known agents fetch at once and up to 100 report at once; beyond, the windows grow with their number.",
        ),
        key(
            "event-expiry",
            Kind::Time(Unit::Seconds),
            "24h",
            "How long a refresh call's event waits for a broker that is away.",
        ),
        key(
            "reports-kept",
            Kind::Count,
            "200",
            "Delivery reports that can be looked up.",
        ),
        key(
            "agent-ttl",
            Kind::Time(Unit::Seconds),
            "10m",
            "An agent not heard of for this long is not waited for. Agents say every three minutes that they are there.",
        ),
        key(
            "drift-after",
            Kind::Time(Unit::Seconds),
            "2m",
            "Agents of one application on different configurations for longer than this count as drifting, and an agent that has not answered an event for this long as overdue.",
        ),
    ],
};

pub(super) fn bind(binder: &Binder<'_>) -> ChangeSettings {
    let view = binder.open(&OURS);
    ChangeSettings {
        bus_id: bus_id(binder),
        database: Some(process::data_dir(binder).join("state.db")),
        spread: view.time("spread"),
        shutdown_events: binder.open(&bus::SPRING).flag("shutdown.enabled"),
        expiry: view.time("event-expiry"),
        reports_kept: view.count("reports-kept"),
        agent_ttl: view.time("agent-ttl"),
        drift_after: view.time("drift-after"),
    }
}

fn bus_id(binder: &Binder<'_>) -> BusId {
    let view = binder.open(&bus::SPRING);
    match view.text("id").map(|id| id.parse::<BusId>()) {
        Some(Ok(id)) => return id,
        Some(Err(_)) => view.wrong("id", "an id without `*`, `?`, `{` and `}`"),
        None => {}
    }
    let process = binder.open(&process::GROUP);
    let name = process.text_or_default("application.name");
    let index = process.text("application.index");
    let index = index.unwrap_or_else(|| binder.open(&http::GROUP).text_or_default("port"));
    let profiles: Vec<Profile> = binder
        .profiles
        .iter()
        .filter_map(|profile| profile.parse().ok())
        .collect();
    BusId::compose(&app_name(binder, &name), &profiles, &index)
}

fn app_name(binder: &Binder<'_>, name: &str) -> AppName {
    name.parse().unwrap_or_else(|_| {
        binder
            .open(&process::GROUP)
            .wrong("application.name", "a name without `..` and `#`");
        "config-server".parse().expect("a name")
    })
}
