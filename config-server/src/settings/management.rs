//! What operators see: `management.*`.

use std::collections::BTreeMap;

/// The actuator's address and what it shows.
#[derive(Debug, Clone)]
pub struct ManagementSettings {
    /// `management.endpoints.web.base-path`, beginning with `/`; empty for none.
    pub base_path: String,
    /// `management.endpoints.web.exposure.*`
    pub exposure: Exposure,
    /// `management.endpoint.<id>.access` (and the older `.enabled`), where written.
    pub endpoints: BTreeMap<String, Access>,
    /// `management.endpoints.access.default` (and the older `enabled-by-default`)
    pub default_access: Access,
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

/// What an endpoint may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Access {
    None,
    /// It tells, and changes nothing.
    ReadOnly,
    #[default]
    Unrestricted,
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
        self.access(id) >= Access::ReadOnly && named(&self.exposure.include) && !named(&self.exposure.exclude)
    }

    /// Whether it answers to calls that do something.
    #[must_use]
    pub fn obeys(&self, id: &str) -> bool {
        self.exposes(id) && self.access(id) == Access::Unrestricted
    }

    fn access(&self, id: &str) -> Access {
        self.endpoints.get(id).copied().unwrap_or(self.default_access)
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
            default_access: Access::default(),
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
        settings.endpoints.insert("info".into(), Access::None);
        assert!(settings.exposes("busrefresh"));
        assert!(!settings.exposes("env"));
        assert!(!settings.exposes("info"));
        assert!(settings.obeys("refresh") && !settings.obeys("env"));
        settings.default_access = Access::ReadOnly;
        settings.endpoints.insert("busenv".into(), Access::Unrestricted);
        assert!(settings.exposes("health") && !settings.obeys("refresh") && settings.obeys("busenv"));
    }
}
