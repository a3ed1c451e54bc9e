//! `/actuator/health` in Spring's shape (contract 1.9).
//!
//! The bus is told about, but does not count: while it is away the server answers as before, and
//! events wait in the outbox. A probe that took the server down with its broker would do harm.

use bus::LinkState;
use contract::Environment;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::link;
use super::state::Actuator;
use crate::engine::query::Query;
use crate::read::Form;
use crate::settings::management::Show;
use crate::settings::serving::HealthCheck;

/// Spring's states, the worst first: the order in which components are summed up.
const WORST_FIRST: [&str; 4] = ["DOWN", "OUT_OF_SERVICE", "UP", "UNKNOWN"];

/// The groups that Spring Boot has.
pub const GROUPS: [&str; 2] = ["liveness", "readiness"];

/// One component, or all of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Health {
    pub status: String,
    details: Map<String, Value>,
}

impl Health {
    fn new(status: &str, details: Value) -> Self {
        let Value::Object(details) = details else {
            return Self::new(status, json!({}));
        };
        Self {
            status: status.to_owned(),
            details,
        }
    }

    fn to_json(&self, with_details: bool) -> Value {
        let mut members = Map::from_iter([("status".to_owned(), json!(self.status))]);
        if with_details && !self.details.is_empty() {
            members.insert("details".to_owned(), Value::Object(self.details.clone()));
        }
        Value::Object(members)
    }
}

impl Actuator {
    /// The whole document and its status. `authorised` is whether the caller is known.
    pub async fn health(&self, authorised: bool) -> (StatusCode, Value) {
        let components = self.components().await;
        let status = sum_up(components.iter().map(|(_, health)| health));
        let mut document = json!({ "status": status });
        if self.shows(
            self.settings.health_components.unwrap_or(self.settings.health_details),
            authorised,
        ) {
            let details = self.shows(self.settings.health_details, authorised);
            let shown = components
                .iter()
                .map(|(name, health)| ((*name).to_owned(), health.to_json(details)));
            document["components"] = Value::Object(shown.collect());
        }
        document["groups"] = json!(GROUPS);
        (code(&status), document)
    }

    /// One component, or one group; `None` when there is none of that name.
    pub async fn health_of(&self, name: &str, authorised: bool) -> Option<(StatusCode, Value)> {
        let health = match name {
            "liveness" => Health::new("UP", json!({})),
            "readiness" => Health::new(if self.is_ready() { "UP" } else { "OUT_OF_SERVICE" }, json!({})),
            _ => {
                let mut components = self.components().await.into_iter();
                components.find(|(component, _)| *component == name)?.1
            }
        };
        let details = self.shows(self.settings.health_details, authorised);
        Some((code(&health.status), health.to_json(details)))
    }

    async fn components(&self) -> Vec<(&'static str, Health)> {
        let mut components = Vec::new();
        if let Some(bus) = &self.bus {
            components.push(("bus", self.bus_health(&bus.borrow())));
        }
        if self.health.enabled {
            components.push(("configServer", self.config_server().await));
        }
        components.push(("ping", Health::new("UP", json!({}))));
        components
    }

    /// Looks up every configured environment, as the stock server does.
    async fn config_server(&self) -> Health {
        let mut repositories = Vec::new();
        for check in &self.health.repositories {
            match self.look_up(check).await {
                Ok(found) => repositories.push(found),
                Err(details) => return Health::new(&self.health.down_status, details),
            }
        }
        Health::new("UP", json!({ "repositories": repositories }))
    }

    async fn look_up(&self, check: &HealthCheck) -> Result<Value, Value> {
        let failed = |error: String| {
            let profiles = check.profiles.as_str();
            json!({ "repository": { "application": check.name, "profiles": profiles }, "error": error })
        };
        let query = Query::new(&check.name, &check.profiles, check.label.as_deref(), &self.rules)
            .map_err(|veto| failed(veto.to_string()))?;
        let served = self.reader.read(query, Form::Environment { origins: false }, &[]).await;
        let served = served.map_err(|error| failed(error.to_string()))?;
        let environment: Environment =
            serde_json::from_slice(&served.answer.body).map_err(|error| failed(error.to_string()))?;
        if environment.property_sources.is_empty() && !self.health.accept_empty {
            return Err(json!({ "acceptEmpty": false }));
        }
        Ok(describe(check, &environment))
    }

    fn bus_health(&self, state: &LinkState) -> Health {
        let status = if state.is_connected() { "UP" } else { "UNKNOWN" };
        let mut details = json!({ "state": link::name(state), "queued": self.change.progress().queued });
        if let Some(reason) = link::reason(state) {
            details["reason"] = json!(reason);
        }
        if let LinkState::Connecting { attempt } = state {
            details["attempt"] = json!(attempt);
        }
        Health::new(status, details)
    }

    pub(super) fn shows(&self, show: Show, authorised: bool) -> bool {
        match show {
            Show::Always => true,
            Show::WhenAuthorized => authorised,
            Show::Never => false,
        }
    }
}

fn describe(check: &HealthCheck, environment: &Environment) -> Value {
    let profiles: Vec<&str> = check.profiles.split(',').collect();
    let mut found = json!({ "name": check.name, "profiles": profiles, "label": check.label });
    let names: Vec<&str> = environment
        .property_sources
        .iter()
        .map(|source| source.name.as_str())
        .collect();
    if !names.is_empty() {
        found["sources"] = json!(names);
    }
    found
}

fn sum_up<'h>(components: impl Iterator<Item = &'h Health>) -> String {
    let rank = |health: &&Health| {
        let known = WORST_FIRST.iter().position(|status| *status == health.status);
        known.unwrap_or(WORST_FIRST.len())
    };
    components
        .min_by_key(rank)
        .map_or_else(|| "UNKNOWN".to_owned(), |worst| worst.status.clone())
}

fn code(status: &str) -> StatusCode {
    match status {
        "DOWN" | "OUT_OF_SERVICE" => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::OK,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_component_is_the_status() {
        let all = |states: &[&str]| {
            sum_up(
                states
                    .iter()
                    .map(|status| Health::new(status, json!({})))
                    .collect::<Vec<_>>()
                    .iter(),
            )
        };
        assert_eq!(all(&["UP", "DOWN", "UNKNOWN"]), "DOWN");
        assert_eq!(all(&["UNKNOWN", "UP"]), "UP");
        assert_eq!(all(&[]), "UNKNOWN");
        assert_eq!(code("DOWN"), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(code("UNKNOWN"), StatusCode::OK);
    }
}
