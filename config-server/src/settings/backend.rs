//! Where configuration comes from: `spring.cloud.config.server.git|native|composite`.

use std::fmt;
use std::ops::Deref;
use std::path::PathBuf;
use std::time::Duration;

use super::encrypt::Secret;
use super::load::without_login;
use crate::engine::document::Limits;

/// One backend; a composite lists several, highest precedence first.
#[derive(Debug, Clone)]
pub enum Backend {
    Git(GitSettings),
    Native(NativeSettings),
    Composite {
        members: Vec<Self>,
        /// `fail-on-composite-error`: one failing member fails the request.
        fail_on_error: bool,
    },
}

/// `spring.cloud.config.server.git.*`
#[derive(Debug, Clone)]
pub struct GitSettings {
    /// May hold `{application}`, `{profile}`, `{label}`.
    pub uri: GitUri,
    pub default_label: String,
    /// Fall back from `main` to `master`: only while `default_label` was not set otherwise.
    pub try_master_branch: bool,
    pub search_paths: Vec<String>,
    pub freshness: Freshness,
    /// Total deadline of one fetch.
    pub timeout: Duration,
    /// Parent of the bare mirrors; kept between starts.
    pub basedir: PathBuf,
    /// Clone before the first request is taken, and do not start without; otherwise when it is needed.
    pub clone_on_start: bool,
    pub delete_untracked_branches: bool,
    pub continue_on_multiple_label_failure: bool,
    pub reverse_location_order: bool,
    pub credentials: Credentials,
    pub ssh: SshSettings,
    pub skip_ssl_validation: bool,
    /// PEM bundle trusted besides the system's authorities.
    pub ca_file: Option<PathBuf>,
    pub proxies: Vec<Proxy>,
    /// `git.repos.*` in declaration order; empty below the first level.
    pub repos: Vec<PatternRepo>,
    pub limits: Limits,
    /// Most mirrors kept for a URI with placeholders.
    pub max_mirrors: usize,
}

/// Where a repository is. May hold a login, which is not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct GitUri(String);

/// When a read looks at the remote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Never on a read: doors, watch and this tick keep the store at head (our default, 30 s).
    Background(Duration),
    /// `refresh-rate: 0` written out: every read waits for one coalesced check, bounded by the
    /// timeout, then is served with `X-Config-Stale`.
    Strict,
    /// A negative rate: only the doors.
    Manual,
}

/// How to log in at the remote. Never printed.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    pub username: Option<String>,
    pub password: Option<Secret>,
    pub passphrase: Option<Secret>,
}

/// SSH by Spring's settings.
#[derive(Debug, Clone)]
pub struct SshSettings {
    /// `ignore-local-ssh-settings`: use the settings below instead of `~/.ssh`.
    pub ignore_local: bool,
    pub private_key: Option<Secret>,
    pub host_key: Option<String>,
    pub host_key_algorithm: Option<String>,
    pub known_hosts_file: Option<PathBuf>,
    pub strict_host_key_checking: bool,
    pub preferred_authentications: Option<String>,
}

/// `git.proxy.<http|https>.*`
#[derive(Debug, Clone)]
pub struct Proxy {
    /// The scheme of the remote it is for: `http` or `https`.
    pub scheme: String,
    pub host: String,
    pub port: u16,
    pub non_proxy_hosts: Vec<String>,
    pub username: Option<String>,
    pub password: Option<Secret>,
}

/// One of `git.repos.*`.
#[derive(Debug, Clone)]
pub struct PatternRepo {
    pub name: String,
    /// `application/profile` patterns; the map key when none was given.
    pub patterns: Vec<String>,
    pub git: GitSettings,
}

/// `spring.cloud.config.server.native.*`
#[derive(Debug, Clone)]
pub struct NativeSettings {
    /// `file:` locations, with placeholders.
    pub search_locations: Vec<String>,
    pub add_label_locations: bool,
    pub default_label: String,
    pub version: Option<String>,
    pub fail_on_error: bool,
    /// `server.monitor.fixed-delay`: how often they are looked through besides being watched.
    pub look_every: Duration,
    pub limits: Limits,
}

impl GitSettings {
    /// The repository at `uri`, mirrored below `basedir`, everything else at its default.
    #[must_use]
    pub fn new(uri: &str, basedir: PathBuf) -> Self {
        Self {
            uri: uri.into(),
            default_label: "main".into(),
            try_master_branch: true,
            search_paths: Vec::new(),
            freshness: Freshness::default(),
            timeout: Duration::from_secs(5),
            basedir,
            clone_on_start: false,
            delete_untracked_branches: false,
            continue_on_multiple_label_failure: false,
            reverse_location_order: false,
            credentials: Credentials::default(),
            ssh: SshSettings::default(),
            skip_ssl_validation: false,
            ca_file: None,
            proxies: Vec::new(),
            repos: Vec::new(),
            limits: Limits::default(),
            max_mirrors: 64,
        }
    }
}

impl From<&str> for GitUri {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for GitUri {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl Deref for GitUri {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for GitUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", without_login(&self.0))
    }
}

impl Default for Freshness {
    fn default() -> Self {
        Self::Background(Duration::from_secs(30))
    }
}

impl Default for SshSettings {
    fn default() -> Self {
        Self {
            ignore_local: false,
            private_key: None,
            host_key: None,
            host_key_algorithm: None,
            known_hosts_file: None,
            strict_host_key_checking: true,
            preferred_authentications: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_holds_no_credentials() {
        let printed = format!("{:?}", GitSettings::new("https://me:p,w@h/x", PathBuf::new()));
        assert!(
            printed.contains("https://***@h/x") && !printed.contains("p,w"),
            "{printed}"
        );
    }
}
