//! The webhook door: `spring.cloud.config.monitor.*`, `spring.cloud.config.server.monitor.*`,
//! `config-bus.monitor.*`.

use std::collections::{BTreeMap, BTreeSet};

use super::secret::Secret;

/// `POST /monitor`
#[derive(Debug, Clone, Default)]
pub struct MonitorSettings {
    /// `spring.cloud.config.monitor.endpoint.path`: stands before `/monitor`; empty for none.
    pub path: String,
    /// `spring.cloud.config.server.monitor.<provider>.enabled=false`
    pub disabled: BTreeSet<Provider>,
    /// `config-bus.monitor.<provider>.secret`: a call of that provider must prove it knows it.
    pub secrets: BTreeMap<Provider, Secret>,
}

/// Who calls. The names are those of Spring's settings; Azure DevOps and the plain form are ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Provider {
    Github,
    Gitlab,
    Gitee,
    Gogs,
    Gitea,
    /// Cloud and server.
    Bitbucket,
    Azure,
    /// A form or JSON body that names paths.
    Generic,
}

impl Provider {
    pub const ALL: [Self; 8] = [
        Self::Github,
        Self::Gitlab,
        Self::Gitee,
        Self::Gogs,
        Self::Gitea,
        Self::Bitbucket,
        Self::Azure,
        Self::Generic,
    ];

    /// The name in settings: `github`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Gitee => "gitee",
            Self::Gogs => "gogs",
            Self::Gitea => "gitea",
            Self::Bitbucket => "bitbucket",
            Self::Azure => "azure",
            Self::Generic => "generic",
        }
    }
}

impl MonitorSettings {
    #[must_use]
    pub fn enabled(&self, provider: Provider) -> bool {
        !self.disabled.contains(&provider)
    }

    #[must_use]
    pub fn secret(&self, provider: Provider) -> Option<&Secret> {
        self.secrets.get(&provider)
    }
}
