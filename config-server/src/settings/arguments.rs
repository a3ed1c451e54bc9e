//! The command line: everyday flags, and `--any.setting=value`.

use std::fmt;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// What the process is asked to do. Of what it is told, only the names are printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Arguments {
    pub command: Command,
    /// `--key=value`, the everyday flags among them, for [`super::load`](mod@super::load).
    pub properties: Vec<String>,
}

/// What to do with the settings.
#[derive(Clone, PartialEq, Eq, Default, Subcommand)]
pub enum Command {
    /// Serve (the default)
    #[default]
    Serve,
    /// Print the settings in effect, where each was written, and everything that is wrong
    Check,
    /// Ask another config server and this one for everything in the repository, and show what differs
    Compare {
        /// The other server's base URL, with its prefix; credentials as in http://user:password@host
        #[arg(long, value_name = "URL")]
        with: String,
    },
    /// Show how a running server stands: heads, bus, agents, and how the newest refresh goes
    ///
    /// Ends with 0 when all is well, with 1 when the server cannot be asked, and with 2 when somebody
    /// should look: a remote out of reach, a file that cannot be parsed, the bus away, agents that
    /// failed, refused, are overdue or drift.
    Status(StatusArguments),
}

/// Which server, and how it is shown.
#[derive(Clone, PartialEq, Eq, Default, Args)]
pub struct StatusArguments {
    /// The server's base URL; without it, the server that the settings would start here
    #[arg(long, value_name = "URL")]
    pub server: Option<String>,
    /// Who asks, where the server wants to know; also as in http://user:password@host
    #[arg(long, value_name = "NAME", requires = "password")]
    pub user: Option<String>,
    /// The password of `--user`
    #[arg(long, value_name = "PASSWORD", requires = "user")]
    pub password: Option<String>,
    /// Certificates (PEM) of who vouches for the server, besides those the system trusts
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Go on showing it until interrupted; into a file or a pipe, a line for each change
    #[arg(long)]
    pub watch: bool,
    /// Print what the server says, for programs; with `--watch`, a line for each change
    #[arg(long)]
    pub json: bool,
}

/// Serves versioned configuration from git over HTTP and announces every change on the bus.
///
/// Reads application.yml in ./ and ./config/ like a Spring Cloud Config Server. Every setting can
/// also be given as --key=value, or as an environment variable.
#[derive(Parser)]
#[command(name = "config-server", version)]
struct Line {
    /// The repository to serve: a URL or a path (spring.cloud.config.server.git.uri)
    #[arg(long, global = true, value_name = "URL OR PATH")]
    repo: Option<String>,
    /// The port to listen on, 8888 unless set (server.port)
    #[arg(long, global = true)]
    port: Option<u16>,
    /// Where mirrors and the state file are kept (config-bus.data-dir)
    #[arg(long, global = true, value_name = "DIRECTORY")]
    data_dir: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

impl Arguments {
    /// Reads a command line; the first word is the program's name.
    ///
    /// # Errors
    /// What clap has to say: also `--help` and `--version`.
    pub fn parse(line: impl IntoIterator<Item = String>) -> Result<Self, clap::Error> {
        let (settings, plain): (Vec<String>, Vec<String>) = line.into_iter().partition(|word| is_setting(word));
        let line = Line::try_parse_from(plain)?;
        let everyday = [
            line.repo
                .map(|repo| format!("--spring.cloud.config.server.git.uri={repo}")),
            line.port.map(|port| format!("--server.port={port}")),
            line.data_dir
                .map(|directory| format!("--config-bus.data-dir={}", directory.display())),
        ];
        Ok(Self {
            command: line.command.unwrap_or_default(),
            properties: everyday.into_iter().flatten().chain(settings).collect(),
        })
    }
}

impl fmt::Debug for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.properties.iter().map(|property| property.split('=').next());
        let names: Vec<_> = names.flatten().collect();
        write!(f, "{:?} {names:?}", self.command)
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Serve => "serve",
            Self::Check => "check",
            Self::Compare { .. } => "compare",
            Self::Status(_) => "status",
        })
    }
}

impl fmt::Debug for StatusArguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatusArguments")
            .field("watch", &self.watch)
            .field("json", &self.json)
            .finish_non_exhaustive()
    }
}

/// Settings have dots or brackets in their names, flags do not.
fn is_setting(word: &str) -> bool {
    let name = word.strip_prefix("--").and_then(|rest| rest.split('=').next());
    name.is_some_and(|name| name.contains(['.', '[']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &[&str]) -> Arguments {
        let words = ["config-server"].iter().chain(line).map(|&word| word.to_owned());
        Arguments::parse(words).expect("a good line")
    }

    #[test]
    fn flags_are_short_forms_of_settings() {
        let arguments = parse(&[
            "--repo",
            "/srv/config.git",
            "--spring.profiles.active=native",
            "--port=80",
        ]);
        assert_eq!(arguments.command, Command::Serve);
        assert_eq!(
            arguments.properties,
            [
                "--spring.cloud.config.server.git.uri=/srv/config.git",
                "--server.port=80",
                "--spring.profiles.active=native"
            ]
        );
    }

    #[test]
    fn debug_output_holds_no_value() {
        let arguments = parse(&["compare", "--with", "http://me:pw@h", "--encrypt.key=very-secret"]);
        assert_eq!(format!("{arguments:?}"), r#"compare ["--encrypt.key"]"#);
        let arguments = parse(&["status", "--server=http://h", "--user=me", "--password=pw"]);
        assert_eq!(format!("{arguments:?}"), "status []");
        let Command::Status(asked) = arguments.command else {
            panic!("another command");
        };
        assert!(!format!("{asked:?}").contains("pw"), "{asked:?}");
    }

    #[test]
    fn flags_may_follow_the_command() {
        let arguments = parse(&["check", "--data-dir", "/var/lib/x", "--a.b[0]=c d"]);
        assert_eq!(arguments.command, Command::Check);
        assert_eq!(
            arguments.properties,
            ["--config-bus.data-dir=/var/lib/x", "--a.b[0]=c d"]
        );
    }

    #[test]
    fn the_server_to_ask_may_stand_with_its_user() {
        let Command::Status(asked) = parse(&["status", "--watch", "--server=http://h:1"]).command else {
            panic!("another command");
        };
        assert!(asked.watch && !asked.json);
        assert_eq!(asked.server.as_deref(), Some("http://h:1"));
        let half = ["config-server", "status", "--user", "me"].map(str::to_owned);
        assert!(Arguments::parse(half).is_err());
    }

    #[test]
    fn an_unknown_flag_is_refused() {
        let line = ["config-server", "--colour=red"].map(str::to_owned);
        assert!(Arguments::parse(line).is_err());
    }
}
