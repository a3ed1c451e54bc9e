//! What may be said, in the words it is said in.

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use serde::Deserialize;
use thiserror::Error;

use crate::sidecar::format::Format;

/// What may be said, in the words it is said in.
#[derive(Clone, Default, Args, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct RawSettings {
    /// A configuration server; several are tried in order
    #[arg(
        long = "server",
        value_name = "URL",
        env = "CONFIG_BUS_SERVER",
        value_delimiter = ','
    )]
    pub servers: Vec<String>,
    /// The application to follow
    #[arg(long, value_name = "NAME", env = "CONFIG_BUS_APPLICATION")]
    pub application: Option<String>,
    /// Its profiles, the last one strongest
    #[arg(long, value_name = "NAMES", env = "CONFIG_BUS_PROFILES", value_delimiter = ',')]
    pub profiles: Vec<String>,
    /// The branch, tag or commit [default: the server's]
    #[arg(long, value_name = "NAME", env = "CONFIG_BUS_LABEL")]
    pub label: Option<String>,
    /// `embedded`, `none` or `amqp://user:password@host:port/vhost?exchange=name`, several nodes with
    /// commas [default: embedded]
    #[arg(long, value_name = "BUS", env = "CONFIG_BUS_BUS")]
    pub bus: Option<String>,

    /// The user to show to the server
    #[arg(long, value_name = "NAME", env = "CONFIG_BUS_USERNAME")]
    pub username: Option<String>,
    /// Its password
    #[arg(long, value_name = "TEXT", env = "CONFIG_BUS_PASSWORD", hide_env_values = true)]
    pub password: Option<String>,
    /// A bearer token to show to the server
    #[arg(long, value_name = "TEXT", env = "CONFIG_BUS_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Certificates (PEM) to trust beside those of the machine
    #[arg(long, value_name = "FILE", env = "CONFIG_BUS_CA")]
    pub ca: Option<PathBuf>,
    /// Certificate and key (PEM) to show to the server
    #[arg(long, value_name = "FILE", env = "CONFIG_BUS_IDENTITY")]
    pub identity: Option<PathBuf>,

    /// The file to keep current
    #[arg(long, value_name = "FILE", env = "CONFIG_BUS_OUT")]
    pub out: Option<PathBuf>,
    /// How to write it [default: by its name]
    #[arg(long, value_name = "FORMAT", env = "CONFIG_BUS_FORMAT")]
    pub format: Option<Format>,
    /// Its Unix permission bits [default: 0600]
    #[arg(long, value_name = "BITS", env = "CONFIG_BUS_MODE")]
    pub mode: Option<String>,
    /// Runs in a shell after the file changed
    #[arg(long, value_name = "COMMAND", env = "CONFIG_BUS_RUN")]
    pub run: Option<String>,
    /// How long the command may take [default: 30s]
    #[arg(long, value_name = "TIME", env = "CONFIG_BUS_RUN_TIMEOUT")]
    pub run_timeout: Option<String>,
    /// More files (only in the settings file)
    #[arg(skip)]
    pub outputs: Vec<RawOutput>,

    /// Looks at the latest this long after the last look [default: 60s]
    #[arg(long, value_name = "TIME", env = "CONFIG_BUS_INTERVAL")]
    pub interval: Option<String>,
    /// Ends when no server answers at the start, instead of waiting
    #[arg(long, env = "CONFIG_BUS_FAIL_FAST", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub fail_fast: Option<bool>,
    /// How long the servers have at the start [default: 10s]
    #[arg(long, value_name = "TIME", env = "CONFIG_BUS_START_TIMEOUT")]
    pub start_timeout: Option<String>,
    /// Remembers what was live in this directory, for a start without a server
    #[arg(long, value_name = "DIR", env = "CONFIG_BUS_LAST_KNOWN_GOOD")]
    pub last_known_good: Option<PathBuf>,
    /// Files in this directory win over the server
    #[arg(long, value_name = "DIR", env = "CONFIG_BUS_OVERRIDES")]
    pub overrides: Option<PathBuf>,
    /// Lets environment-change events of the bus set properties
    #[arg(long, env = "CONFIG_BUS_ENVIRONMENT_CHANGES", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub environment_changes: Option<bool>,
    /// Lets shutdown events of the bus end this program, as SIGTERM does
    #[arg(long, env = "CONFIG_BUS_SHUTDOWN_EVENTS", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub shutdown_events: Option<bool>,
    /// Where to answer /live, /ready, /health and /metrics
    #[arg(long, value_name = "ADDRESS", env = "CONFIG_BUS_ADMIN")]
    pub admin: Option<String>,
    /// Writes once, runs once, ends
    #[arg(long, env = "CONFIG_BUS_ONCE", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub once: Option<bool>,
}

/// Only what cannot hold a password.
impl fmt::Debug for RawSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawSettings")
            .field("application", &self.application)
            .field("profiles", &self.profiles)
            .field("label", &self.label)
            .field("out", &self.out)
            .finish_non_exhaustive()
    }
}

/// One further file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct RawOutput {
    /// Where.
    pub file: Option<PathBuf>,
    /// How.
    pub format: Option<Format>,
    /// Unix permission bits.
    pub mode: Option<String>,
    /// What to run after.
    pub run: Option<String>,
    /// How long that may take.
    pub run_timeout: Option<String>,
}

/// Why a settings file cannot be read.
#[derive(Debug, Error)]
#[error("the settings file is not valid: {0}")]
pub struct SettingsFileError(String);

/// What the parser says, but for the value it met: that may be a password.
fn without_values(said: &str) -> String {
    let quoted = ["invalid type: ", "invalid value: "];
    let Some(start) = quoted.iter().filter_map(|kind| said.find(kind)).min() else {
        return said.to_owned();
    };
    let (before, rest) = said.split_at(start);
    let wanted = rest.rfind(", expected ").map_or("", |at| &rest[at..]);
    format!("{before}a value of the wrong kind{wanted}")
}

impl RawSettings {
    /// Reads the YAML of a settings file.
    ///
    /// # Errors
    /// [`SettingsFileError`] names the key, the line and the column.
    pub fn from_yaml(text: &str) -> Result<Self, SettingsFileError> {
        serde_yaml::from_str(text).map_err(|error| SettingsFileError(without_values(&error.to_string())))
    }

    /// These, and `weaker` ones where nothing is said here.
    #[must_use]
    pub fn over(self, weaker: Self) -> Self {
        let list = |own: Vec<String>, other: Vec<String>| if own.is_empty() { other } else { own };
        Self {
            servers: list(self.servers, weaker.servers),
            application: self.application.or(weaker.application),
            profiles: list(self.profiles, weaker.profiles),
            label: self.label.or(weaker.label),
            bus: self.bus.or(weaker.bus),
            username: self.username.or(weaker.username),
            password: self.password.or(weaker.password),
            token: self.token.or(weaker.token),
            ca: self.ca.or(weaker.ca),
            identity: self.identity.or(weaker.identity),
            out: self.out.or(weaker.out),
            format: self.format.or(weaker.format),
            mode: self.mode.or(weaker.mode),
            run: self.run.or(weaker.run),
            run_timeout: self.run_timeout.or(weaker.run_timeout),
            outputs: if self.outputs.is_empty() {
                weaker.outputs
            } else {
                self.outputs
            },
            interval: self.interval.or(weaker.interval),
            fail_fast: self.fail_fast.or(weaker.fail_fast),
            start_timeout: self.start_timeout.or(weaker.start_timeout),
            last_known_good: self.last_known_good.or(weaker.last_known_good),
            overrides: self.overrides.or(weaker.overrides),
            environment_changes: self.environment_changes.or(weaker.environment_changes),
            shutdown_events: self.shutdown_events.or(weaker.shutdown_events),
            admin: self.admin.or(weaker.admin),
            once: self.once.or(weaker.once),
        }
    }
}
