//! A process with all its children, which cannot outlive the test.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};

/// Starts "$@", then waits for the end of its input: the test closes it, or its death does.
const WATCHDOG: &str = r#""$@" </dev/null >/dev/null 2>&1 & read -r _; kill -KILL 0"#;

/// A process group that dies when this is dropped, or when the test process does, however.
#[derive(Debug)]
pub(crate) struct Group {
    watchdog: Child,
    lifeline: Option<ChildStdin>,
}

impl Group {
    /// Starts `command` in a group of its own.
    pub(crate) fn spawn(command: &Command) -> io::Result<Self> {
        let mut watched = Command::new("/bin/sh");
        watched
            .args(["-c", WATCHDOG, "sh"])
            .arg(command.get_program())
            .args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => watched.env(name, value),
                None => watched.env_remove(name),
            };
        }
        let mut watchdog = watched.stdin(Stdio::piped()).process_group(0).spawn()?;
        let lifeline = watchdog.stdin.take();
        Ok(Self { watchdog, lifeline })
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        let _ = self.watchdog.wait();
    }
}
