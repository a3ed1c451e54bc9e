//! `ssh`: the machine's own `ssh` program as a child, which brings agents, jump hosts and hardware
//! keys, and can be killed.

use std::io::{self, Write};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};

use super::identity::{Identity, PrivateDirectory};
use super::{Line, unreachable};
use crate::git::error::Failure;

/// Bytes of the child's complaints that are kept.
const COMPLAINT: usize = 8 * 1024;

/// The child and its streams, as libgit2 reads and writes them.
pub(super) struct Session {
    line: Line,
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
    complaints: ChildStderr,
    complaint: Vec<u8>,
    /// Holds the key, the known host and the program that answers `ssh`'s question; on disk for as
    /// long as the session only.
    _files: Option<PrivateDirectory>,
}

/// Starts `ssh`; whether it gets in shows when the first bytes are read.
pub(super) fn connect(line: &Line, identity: &Identity) -> Result<Session, Failure> {
    let (mut command, files) = identity.command()?;
    let mut child = line.wait(async { command.spawn().map_err(|error| not_started(&error)) })?;
    let (Some(input), Some(output), Some(complaints)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(Failure::Unreachable(io::ErrorKind::BrokenPipe));
    };
    Ok(Session {
        line: line.clone(),
        child,
        input,
        output,
        complaints,
        complaint: Vec::new(),
        _files: files,
    })
}

fn not_started(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::NotFound => Failure::SshMissing,
        kind => Failure::Unreachable(kind),
    }
}

impl Session {
    /// Reads what the remote sends and, meanwhile, what `ssh` complains about: a child whose
    /// complaints nobody reads stands still.
    fn receive(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        let Self {
            line,
            output,
            complaints,
            complaint,
            ..
        } = self;
        let mut scratch = [0; 1024];
        let mut complaining = true;
        line.wait(async {
            loop {
                tokio::select! {
                    biased;
                    read = complaints.read(&mut scratch), if complaining => {
                        let length = read.map_err(unreachable)?;
                        complaining = length > 0;
                        let room = COMPLAINT.saturating_sub(complaint.len()).min(length);
                        complaint.extend_from_slice(&scratch[..room]);
                    }
                    read = output.read(buffer) => return read.map_err(unreachable),
                }
            }
        })
    }

    /// The stream ended: was that the end of the conversation, or did `ssh` give up?
    fn verdict(&mut self) -> Result<(), Failure> {
        let Self {
            line,
            child,
            complaints,
            complaint,
            ..
        } = self;
        let status = line.wait(async {
            let mut rest = complaints.take(COMPLAINT as u64);
            rest.read_to_end(complaint).await.map_err(unreachable)?;
            child.wait().await.map_err(unreachable)
        })?;
        if status.success() {
            return Ok(());
        }
        let failure = complained(&String::from_utf8_lossy(complaint));
        line.fail(failure.clone());
        Err(failure)
    }
}

impl io::Read for Session {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.receive(buffer).map_err(io::Error::other)?;
        if length == 0 {
            self.verdict().map_err(io::Error::other)?;
        }
        Ok(length)
    }
}

impl Write for Session {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let input = &mut self.input;
        let written = self.line.wait(async { Ok(input.write_all(bytes).await) });
        match written.map_err(io::Error::other)? {
            Ok(()) => Ok(bytes.len()),
            // The child is gone: what it said is worth more than the broken pipe.
            Err(broken) => {
                self.verdict().map_err(io::Error::other)?;
                Err(broken)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads the complaint of `ssh` or of the remote's shell.
fn complained(complaint: &str) -> Failure {
    let says = |what: &str| complaint.contains(what);
    if says("Host key verification failed") || says("REMOTE HOST IDENTIFICATION HAS CHANGED") {
        Failure::HostKey
    } else if says("Permission denied") || says("Too many authentication failures") {
        Failure::Unauthorized
    } else if says("Connection refused") {
        Failure::Unreachable(io::ErrorKind::ConnectionRefused)
    } else if says("timed out") {
        Failure::Unreachable(io::ErrorKind::TimedOut)
    } else if says("Could not resolve") {
        Failure::UnknownHost
    } else if says("No route to host") {
        Failure::Unreachable(io::ErrorKind::HostUnreachable)
    } else if says("not appear to be a git repository") || says("not found") || says("does not exist") {
        Failure::NotARepository
    } else {
        Failure::Unreachable(io::ErrorKind::ConnectionAborted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_are_understood() {
        let cases = [
            ("git@h: Permission denied (publickey).", Failure::Unauthorized),
            ("Host key verification failed.", Failure::HostKey),
            (
                "ssh: connect to host h port 22: Connection refused",
                Failure::Unreachable(io::ErrorKind::ConnectionRefused),
            ),
            (
                "fatal: '/x' does not appear to be a git repository",
                Failure::NotARepository,
            ),
            ("", Failure::Unreachable(io::ErrorKind::ConnectionAborted)),
        ];
        for (complaint, failure) in cases {
            assert_eq!(complained(complaint), failure, "{complaint}");
        }
    }
}
