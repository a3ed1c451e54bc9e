//! A process with all its children, which cannot outlive the test.

use std::io::{self, BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

/// Starts "$@" with its output to the file "$1", tells its id, then waits for the end of its input:
/// the test closes it, or its death does.
const WATCHDOG: &str = r#"log=$1; shift; "$@" </dev/null >>"$log" 2>&1 & echo $!; read -r _; kill -KILL 0"#;

/// A process group that dies when this is dropped, or when the test process does, however.
#[derive(Debug)]
pub struct Group {
    watchdog: Child,
    lifeline: Option<ChildStdin>,
    leader: String,
}

impl Group {
    /// Starts `command` in a group of its own; what it says is thrown away.
    ///
    /// # Errors
    /// When no shell can be started.
    pub fn spawn(command: &Command) -> io::Result<Self> {
        Self::spawn_logged(command, Path::new("/dev/null"))
    }

    /// Starts `command` in a group of its own; what it says is added to `log`.
    ///
    /// # Errors
    /// When no shell can be started.
    pub fn spawn_logged(command: &Command, log: &Path) -> io::Result<Self> {
        let mut watched = Command::new("/bin/sh");
        watched
            .args(["-c", WATCHDOG, "sh"])
            .arg(log)
            .arg(command.get_program())
            .args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => watched.env(name, value),
                None => watched.env_remove(name),
            };
        }
        let piped = watched.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut watchdog = piped.process_group(0).spawn()?;
        let lifeline = watchdog.stdin.take();
        let mut leader = String::new();
        if let Some(told) = watchdog.stdout.take() {
            BufReader::new(told).read_line(&mut leader)?;
        }
        Ok(Self {
            watchdog,
            lifeline,
            leader: leader.trim().to_owned(),
        })
    }

    /// Sends the process (not its children) a signal by its name: `STOP`, `CONT`, `TERM`.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn signal(&self, name: &str) -> io::Result<()> {
        let sent = Command::new("kill").args(["-s", name, &self.leader]).status()?;
        if sent.success() {
            Ok(())
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        // It kills itself last.
        let _ = self.watchdog.wait();
    }
}
