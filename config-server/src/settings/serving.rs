//! What is answered, whatever the backend: `spring.cloud.config.server.*`, `config-bus.gate`,
//! `config-bus.cache-size`.

use super::secret::Secret;

/// How configuration is served.
#[derive(Debug, Clone)]
pub struct ServingSettings {
    /// `accept-empty`: an environment without sources is an answer, not a 404.
    pub accept_empty: bool,
    /// `strip-document-from-yaml`
    pub strip_document: bool,
    /// `overrides.*`: the first source of every answer, `\${x}` unescaped (contract 2.7). Nobody knows
    /// which of them are secrets, so all are treated as such.
    pub overrides: Vec<(String, Secret)>,
    /// `spring.profiles.validate`: the profile veto (contract 1.2).
    pub validate_profiles: bool,
    /// What a commit that does not parse holds back.
    pub gate: Gate,
    /// Bytes of rendered answers kept.
    pub cache_bytes: u64,
    /// Applications in one request.
    pub max_applications: usize,
    /// Profiles in one request.
    pub max_profiles: usize,
    pub health: HealthSettings,
}

/// Promise 7: who keeps the last good commit when a newer one has a file that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Gate {
    /// The applications that read the broken file.
    #[default]
    Application,
    /// Everybody.
    Commit,
    /// Nobody: the applications concerned get the error, as from the stock server.
    Off,
}

/// `spring.cloud.config.server.health.*`
#[derive(Debug, Clone)]
pub struct HealthSettings {
    pub enabled: bool,
    /// The environments looked up by each health request.
    pub repositories: Vec<HealthCheck>,
    /// The status of a failed check: `DOWN` answers 503.
    pub down_status: String,
    /// Whether a check without sources is up.
    pub accept_empty: bool,
}

/// One of `health.repositories.*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheck {
    pub name: String,
    pub profiles: String,
    pub label: Option<String>,
}

impl Default for ServingSettings {
    fn default() -> Self {
        Self {
            accept_empty: true,
            strip_document: true,
            overrides: Vec::new(),
            validate_profiles: true,
            gate: Gate::default(),
            cache_bytes: 64 * 1024 * 1024,
            max_applications: 16,
            max_profiles: 32,
            health: HealthSettings::default(),
        }
    }
}

impl Default for HealthSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            repositories: vec![HealthCheck::named("app")],
            down_status: "DOWN".into(),
            accept_empty: true,
        }
    }
}

impl HealthCheck {
    /// The check of an application's default profile at the default label.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            name: name.into(),
            profiles: "default".into(),
            label: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_names_the_overrides_without_their_values() {
        let settings = ServingSettings {
            overrides: vec![("db.password".to_owned(), Secret::new("hush".to_owned()))],
            ..ServingSettings::default()
        };
        let printed = format!("{settings:?}");
        assert!(
            printed.contains("db.password") && !printed.contains("hush"),
            "{printed}"
        );
    }
}
