//! What operators see: `management.*`.

use std::collections::BTreeMap;

/// The actuator's address and what it shows.
#[derive(Debug, Clone)]
pub struct ManagementSettings {
    /// `management.endpoints.web.base-path`, beginning with `/`; empty for none.
    pub base_path: String,
    /// `management.endpoints.web.exposure.*`
    pub exposure: Exposure,
    /// `management.endpoint.<id>.enabled` (and `.access=none`), where written.
    pub endpoints: BTreeMap<String, bool>,
    /// `management.endpoints.enabled-by-default`
    pub enabled_by_default: bool,
    /// `management.endpoint.health.show-details`
    pub health_details: Show,
    /// `management.endpoint.health.show-components`; the details' choice unless set.
    pub health_components: Option<Show>,
    /// `management.endpoint.env.show-values`
    pub env_values: Show,
}

/// Endpoints by id; `*` stands for all, and excluding wins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposure {
    pub include: Vec<String>,
    pub exclude: Vec<String>,
}

/// Who sees the inner part of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Show {
    #[default]
    Never,
    /// Who is logged in; everybody where no user is configured.
    WhenAuthorized,
    Always,
}

impl ManagementSettings {
    /// Whether the endpoint `id` answers over HTTP.
    #[must_use]
    pub fn exposes(&self, id: &str) -> bool {
        let named = |list: &[String]| list.iter().any(|one| one == "*" || one.eq_ignore_ascii_case(id));
        let enabled = self.endpoints.get(id).copied().unwrap_or(self.enabled_by_default);
        enabled && named(&self.exposure.include) && !named(&self.exposure.exclude)
    }
}

impl Default for ManagementSettings {
    fn default() -> Self {
        Self {
            base_path: "/actuator".into(),
            exposure: Exposure {
                include: vec!["health".into()],
                exclude: Vec::new(),
            },
            endpoints: BTreeMap::new(),
            enabled_by_default: true,
            health_details: Show::default(),
            health_components: None,
            env_values: Show::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_answers_when_it_is_included_enabled_and_not_excluded() {
        let mut settings = ManagementSettings::default();
        assert!(settings.exposes("health"));
        assert!(!settings.exposes("busrefresh"));
        settings.exposure.include = vec!["*".into()];
        settings.exposure.exclude = vec!["env".into()];
        settings.endpoints.insert("info".into(), false);
        assert!(settings.exposes("busrefresh"));
        assert!(!settings.exposes("env"));
        assert!(!settings.exposes("info"));
    }
}
