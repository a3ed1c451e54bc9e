//! Environment variables, by the names they stand for, and `SPRING_APPLICATION_JSON`.

use std::collections::BTreeMap;

use super::unreadable;
use crate::engine::document::{Format, Limits};
use crate::engine::parse::parse;
use crate::settings::load::fault::SettingFault;
use crate::settings::load::key::join;
use crate::settings::load::known::Table;
use crate::settings::load::origin::{Origin, Written};

const JSON: &str = "SPRING_APPLICATION_JSON";

/// The variables that are settings, and those that look as if they were meant to be.
pub(super) fn variables(environment: &BTreeMap<String, String>, table: &Table) -> Vec<Written> {
    let setting = |(name, text): (&String, &String)| {
        if is_service_link(name, text) {
            return None;
        }
        let key = match table.name_of_variable(name) {
            Some(parts) => join(&parts),
            None if is_ours(name) => name.to_ascii_lowercase().replace('_', "."),
            None => return None,
        };
        Some(Written::new(key, text, Origin::Variable(name.clone())))
    };
    environment.iter().filter_map(setting).collect()
}

/// The properties of `SPRING_APPLICATION_JSON`.
pub(super) fn json(environment: &BTreeMap<String, String>, faults: &mut Vec<SettingFault>) -> Vec<Written> {
    let Some(text) = environment.get(JSON) else {
        return Vec::new();
    };
    match parse(Format::Yaml, text.as_bytes(), &Limits::default()) {
        Ok(documents) => {
            let properties = documents.iter().flat_map(|document| document.properties.iter());
            properties
                .map(|property| super::files::written(property, Origin::Variable(JSON.into())))
                .collect()
        }
        Err(fault) => {
            faults.push(unreadable(JSON, fault.to_string()));
            Vec::new()
        }
    }
}

fn is_ours(name: &str) -> bool {
    ["CONFIG_BUS_", "SPRING_CLOUD_CONFIG_SERVER_"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

/// Kubernetes describes each service to each container: a service called `server` sets
/// `SERVER_PORT=tcp://10.0.0.1:80`. None of that is meant for us.
fn is_service_link(name: &str, text: &str) -> bool {
    let host_or_port = name.ends_with("_SERVICE_HOST") || name.contains("_SERVICE_PORT");
    let of_port = [
        "_TCP",
        "_UDP",
        "_TCP_PROTO",
        "_TCP_PORT",
        "_TCP_ADDR",
        "_UDP_PROTO",
        "_UDP_PORT",
        "_UDP_ADDR",
    ]
    .iter()
    .any(|end| name.ends_with(end) && name.contains("_PORT_"));
    let is_url = ["tcp://", "udp://"].iter().any(|scheme| text.starts_with(scheme));
    host_or_port || of_port || (name.ends_with("_PORT") && is_url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_links_of_kubernetes_are_no_settings() {
        for (name, text, link) in [
            ("SERVER_PORT", "tcp://10.0.0.1:80", true),
            ("SERVER_PORT", "8888", false),
            ("CONFIG_BUS_SERVICE_HOST", "10.0.0.1", true),
            ("CONFIG_BUS_SERVICE_PORT_HTTP", "80", true),
            ("CONFIG_BUS_PORT_8888_TCP_ADDR", "10.0.0.1", true),
            ("CONFIG_BUS_GATE", "off", false),
        ] {
            assert_eq!(is_service_link(name, text), link, "{name}={text}");
        }
    }
}
