//! Settings for tests: everything at its default, on free ports, without a broker.

use std::path::Path;
use std::time::Duration;

use contract::BusId;
use uuid::Uuid;

use super::backend::{Backend, Freshness, GitSettings, NativeSettings};
use super::{
    BusSettings, ChangeSettings, EncryptSettings, HttpSettings, LogFormat, ManagementSettings, MonitorSettings,
    ServingSettings, Settings,
};
use crate::engine::document::Limits;

impl Settings {
    /// Serves the repository at `uri` on a free port, with the embedded bus and nothing kept.
    #[must_use]
    pub fn for_testing(uri: &str) -> Self {
        Self {
            backend: Backend::Git(GitSettings::for_testing(uri)),
            http: HttpSettings::for_testing(),
            change: ChangeSettings::for_testing(),
            encrypt: EncryptSettings::default(),
            bus: BusSettings::Embedded,
            serving: ServingSettings::default(),
            management: ManagementSettings::for_testing(),
            monitor: MonitorSettings::default(),
            log: LogFormat::default(),
            profiles: Vec::new(),
            shown: Default::default(),
        }
    }

    /// Keeps mirrors and the database below `directory`, so that a second start finds them.
    #[must_use]
    pub fn kept_in(mut self, directory: &Path) -> Self {
        self.change.database = Some(directory.join("state.db"));
        self.backend.keep_in(directory);
        self
    }
}

impl Backend {
    fn keep_in(&mut self, directory: &Path) {
        match self {
            Self::Git(git) => {
                let repos = git.repos.iter_mut().map(|repo| &mut repo.git);
                std::iter::once(&mut git.basedir)
                    .chain(repos.map(|git| &mut git.basedir))
                    .for_each(|basedir| *basedir = directory.join("mirrors"));
            }
            Self::Native(_) => {}
            Self::Composite { members, .. } => members.iter_mut().for_each(|member| member.keep_in(directory)),
        }
    }
}

impl GitSettings {
    /// Mirrors `uri` into a directory of its own below the system's temporary one. A read looks at
    /// the remote only when asked to ([`Freshness::Manual`]): tests activate, they do not wait.
    #[must_use]
    pub fn for_testing(uri: &str) -> Self {
        let unique = format!("config-bus-{}", Uuid::new_v4().simple());
        Self {
            freshness: Freshness::Manual,
            ..Self::new(uri, std::env::temp_dir().join(unique))
        }
    }
}

impl NativeSettings {
    /// Serves `locations` (`file:/...`).
    #[must_use]
    pub fn for_testing(locations: &[&str]) -> Self {
        Self {
            search_locations: locations.iter().map(|&location| location.into()).collect(),
            add_label_locations: true,
            default_label: "master".into(),
            version: None,
            fail_on_error: false,
            look_every: Duration::from_secs(5),
            limits: Limits::default(),
        }
    }
}

impl HttpSettings {
    #[must_use]
    pub fn for_testing() -> Self {
        Self {
            port: 0,
            shutdown_grace: Duration::from_secs(2),
            ..Self::default()
        }
    }
}

impl ChangeSettings {
    #[must_use]
    pub fn for_testing() -> Self {
        let id = format!("config-server:0:{}", Uuid::new_v4().simple());
        Self {
            database: None,
            spread: Duration::ZERO,
            ..Self::new(id.parse::<BusId>().expect("an id without wildcards"))
        }
    }
}

impl ManagementSettings {
    /// Everything is exposed and shown.
    #[must_use]
    pub fn for_testing() -> Self {
        let mut settings = Self::default();
        settings.exposure.include = vec!["*".into()];
        settings.health_details = super::management::Show::Always;
        settings
    }
}
