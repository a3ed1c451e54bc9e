//! What was said becomes what is true, or every fault is named.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use contract::{AppName, Label, Profile};
use thiserror::Error;

use super::raw::{RawOutput, RawSettings};
use crate::agent::{Agent, AgentBuilder, Bus};
use crate::duration::parse_duration;
use crate::fetch::Login;
use crate::follows::Follows;
use crate::sidecar::format::Format;
use crate::sidecar::output::Output;

const MODE: &str = "0600";
const RUN_TIMEOUT: Duration = Duration::from_secs(30);

/// What is true.
#[derive(Debug)]
#[non_exhaustive]
pub struct Settings {
    /// What to follow.
    pub follows: Follows,
    /// How.
    pub agent: AgentBuilder,
    /// What to write.
    pub outputs: Vec<Output>,
    /// Where to show how it stands.
    pub admin: Option<SocketAddr>,
    /// Whether a start without a server fails.
    pub fail_fast: bool,
    /// Whether to end after the first configuration.
    pub once: bool,
}

/// Everything that does not fit, each with its key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct SettingsErrors(Vec<(String, String)>);

/// Makes settings of what was said. `read` reads a file of certificates, `variables` are what
/// placeholders may use.
///
/// # Errors
/// [`SettingsErrors`] names every fault, not only the first.
pub fn resolve(
    raw: &RawSettings,
    read: impl Fn(&Path) -> std::io::Result<Vec<u8>>,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Settings, SettingsErrors> {
    let mut faults = Faults::default();
    let once = raw.once.unwrap_or(false);
    let agent = agent(raw, once, &read, &mut faults).variables(variables);
    let follows = follows(raw, &mut faults);
    let outputs = outputs(raw, &mut faults);
    let admin = raw.admin.as_deref().and_then(|text| faults.parse("admin", text));
    let fail_fast = raw.fail_fast.unwrap_or(false);
    match follows {
        Some(follows) if faults.0.is_empty() => Ok(Settings {
            follows,
            agent,
            outputs,
            admin,
            fail_fast,
            once,
        }),
        _ => Err(SettingsErrors(faults.0)),
    }
}

fn agent(
    raw: &RawSettings,
    once: bool,
    read: &impl Fn(&Path) -> std::io::Result<Vec<u8>>,
    faults: &mut Faults,
) -> AgentBuilder {
    let mut agent = Agent::builder()
        .environment_changes(raw.environment_changes.unwrap_or(false))
        .shutdown_events(raw.shutdown_events.unwrap_or(false));
    if raw.servers.is_empty() {
        faults.add("server", "is missing");
    }
    for server in &raw.servers {
        agent = agent.server(server);
    }
    agent = agent.bus(if once { Bus::None } else { bus(raw, faults) });
    if let Some(login) = login(raw, faults) {
        agent = agent.login(login);
    }
    if let Some(pem) = raw.ca.as_deref().and_then(|file| faults.read("ca", file, read)) {
        agent = agent.trust(pem);
    }
    if let Some(pem) = raw
        .identity
        .as_deref()
        .and_then(|file| faults.read("identity", file, read))
    {
        agent = agent.identity(pem);
    }
    if let Some(interval) = faults.duration("interval", raw.interval.as_deref()) {
        agent = agent.interval(interval);
    }
    if let Some(time) = faults.duration("start-timeout", raw.start_timeout.as_deref()) {
        agent = agent.start_timeout(time);
    }
    if let Some(directory) = &raw.last_known_good {
        agent = agent.last_known_good(directory);
    }
    if let Some(directory) = &raw.overrides {
        agent = agent.overrides(directory);
    }
    agent
}

fn bus(raw: &RawSettings, faults: &mut Faults) -> Bus {
    match raw.bus.as_deref() {
        None | Some("embedded") => Bus::Embedded,
        Some("none") => Bus::None,
        Some(url) => Bus::amqp(url).unwrap_or_else(|_| {
            faults.add(
                "bus",
                "is none of `embedded`, `none` and amqp://user:password@host:port/vhost?exchange=name",
            );
            Bus::None
        }),
    }
}

fn login(raw: &RawSettings, faults: &mut Faults) -> Option<Login> {
    match (&raw.username, &raw.password, &raw.token) {
        (None, None, None) => None,
        (None, None, Some(token)) => Some(Login::bearer(token)),
        (Some(username), Some(password), None) => Some(Login::basic(username, password)),
        // The user Spring's server has when none is named.
        (None, Some(password), None) => Some(Login::basic("user", password)),
        (Some(_), None, None) => {
            faults.add("password", "is missing");
            None
        }
        _ => {
            faults.add("token", "cannot be used together with a user and a password");
            None
        }
    }
}

fn follows(raw: &RawSettings, faults: &mut Faults) -> Option<Follows> {
    let application: Option<AppName> = match raw.application.as_deref() {
        Some(name) => faults.parse("application", name),
        None => {
            faults.add("application", "is missing");
            None
        }
    };
    let profiles: Vec<Profile> = raw
        .profiles
        .iter()
        .filter_map(|name| faults.parse("profiles", name))
        .collect();
    let label: Option<Label> = raw.label.as_deref().and_then(|name| faults.parse("label", name));
    Some(Follows::new(application?, profiles, label))
}

fn outputs(raw: &RawSettings, faults: &mut Faults) -> Vec<Output> {
    let first = raw.out.as_ref().map(|file| RawOutput {
        file: Some(file.clone()),
        format: raw.format,
        mode: raw.mode.clone(),
        run: raw.run.clone(),
        run_timeout: raw.run_timeout.clone(),
    });
    if first.is_none() && raw.outputs.is_empty() {
        faults.add("out", "is missing");
    }
    let first = first.iter().map(|output| (String::new(), output));
    let further = raw
        .outputs
        .iter()
        .enumerate()
        .map(|(at, output)| (format!("outputs[{at}]."), output));
    first
        .chain(further)
        .filter_map(|(at, output)| self::output(&at, output, faults))
        .collect()
}

fn output(at: &str, raw: &RawOutput, faults: &mut Faults) -> Option<Output> {
    let Some(file) = &raw.file else {
        faults.add(&format!("{at}file"), "is missing");
        return None;
    };
    let format = raw.format.or_else(|| Format::of(file));
    if format.is_none() {
        faults.add(&format!("{at}format"), "is missing, and the file's name does not tell");
    }
    let mode = u32::from_str_radix(raw.mode.as_deref().unwrap_or(MODE), 8)
        .ok()
        .filter(|bits| *bits <= 0o777);
    if mode.is_none() {
        faults.add(&format!("{at}mode"), "is not three or four octal digits such as 0640");
    }
    let run_timeout = faults.duration(&format!("{at}run-timeout"), raw.run_timeout.as_deref());
    Some(Output {
        file: file.clone(),
        format: format?,
        mode: mode?,
        run: raw.run.clone(),
        run_timeout: run_timeout.unwrap_or(RUN_TIMEOUT),
    })
}

/// Gathers what does not fit. Never repeats a value: it may be secret.
#[derive(Debug, Default)]
struct Faults(Vec<(String, String)>);

impl Faults {
    fn add(&mut self, key: &str, fault: &str) {
        self.0.push((key.to_owned(), fault.to_owned()));
    }

    fn parse<T: std::str::FromStr>(&mut self, key: &str, text: &str) -> Option<T>
    where
        T::Err: fmt::Display,
    {
        text.parse()
            .map_err(|error: T::Err| self.add(key, &format!("does not fit: {error}")))
            .ok()
    }

    fn duration(&mut self, key: &str, text: Option<&str>) -> Option<Duration> {
        let duration = parse_duration(text?).filter(|time| !time.is_zero());
        if duration.is_none() {
            self.add(key, "is not a time such as `30s` or `500ms`");
        }
        duration
    }

    fn read(&mut self, key: &str, file: &Path, read: &impl Fn(&Path) -> std::io::Result<Vec<u8>>) -> Option<Vec<u8>> {
        read(file)
            .map_err(|error| self.add(key, &format!("cannot be read from {}: {error}", file.display())))
            .ok()
    }
}

impl fmt::Display for SettingsErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (key, fault)) in self.0.iter().enumerate() {
            let separator = if at == 0 { "" } else { "\n" };
            write!(f, "{separator}{key}: {fault}")?;
        }
        Ok(())
    }
}
