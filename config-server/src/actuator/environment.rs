//! `/actuator/env`: the settings that were written, in Spring's shape.
//!
//! Values show as `******` unless `management.endpoint.env.show-values` lets them; secrets never do.

use serde_json::{Map, Value, json};

use super::state::Actuator;

/// The one source: how settings were laid over one another is for `config-server check`.
const SOURCE: &str = "config-server";
const HIDDEN: &str = "******";

impl Actuator {
    /// The whole document. `authorised` is whether the caller is known.
    #[must_use]
    pub fn environment(&self, authorised: bool) -> Value {
        let shown = self.shows(self.settings.env_values, authorised);
        let property =
            |(name, value): &(String, String)| (name.clone(), json!({ "value": hidden_unless(shown, value) }));
        let properties: Map<String, Value> = self.written.iter().map(property).collect();
        let source = json!({ "name": SOURCE, "properties": properties });
        json!({ "activeProfiles": self.profiles, "defaultProfiles": ["default"], "propertySources": [source] })
    }

    /// One setting by its full name; `None` when it was not written.
    #[must_use]
    pub fn setting(&self, name: &str, authorised: bool) -> Option<Value> {
        let (_, value) = self.written.iter().find(|(written, _)| written == name)?;
        let value = hidden_unless(self.shows(self.settings.env_values, authorised), value);
        Some(json!({
            "property": { "source": SOURCE, "value": value },
            "activeProfiles": self.profiles,
            "defaultProfiles": ["default"],
            "propertySources": [{ "name": SOURCE, "property": { "value": value } }],
        }))
    }
}

fn hidden_unless(shown: bool, value: &str) -> &str {
    if shown { value } else { HIDDEN }
}
