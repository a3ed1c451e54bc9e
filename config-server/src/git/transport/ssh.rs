//! `ssh`: the machine's own `ssh` program as a child, which brings agents, jump hosts and hardware
//! keys, and can be killed. Spring's settings become its options.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use super::{Line, unreachable};
use crate::git::error::Failure;
use crate::git::remote::{Address, Remote};
use crate::settings::encrypt::Secret;
use crate::settings::{GitSettings, backend::SshSettings};

/// Bytes of the child's complaints that are kept.
const COMPLAINT: usize = 8 * 1024;

/// Where the child finds its passphrase or password.
const ASKED: &str = "CONFIG_BUS_SSH_SECRET";

/// Who we are to one remote, and how it is recognised.
#[derive(Debug)]
pub(in crate::git) struct Identity {
    arguments: Vec<String>,
    secret: Option<Secret>,
    /// Holds the key, the known host and the program that answers `ssh`'s question.
    files: Option<PrivateDirectory>,
}

/// The child and its streams, as libgit2 reads and writes them.
pub(super) struct Session {
    line: Line,
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
    complaints: ChildStderr,
    complaint: Vec<u8>,
}

/// A directory that only we may enter; it goes with its owner.
#[derive(Debug)]
struct PrivateDirectory(PathBuf);

impl Identity {
    pub(super) fn new(remote: &Remote, settings: &GitSettings) -> Result<Self, Failure> {
        let Address::Ssh { user, host, port, path } = &remote.address else {
            return Err(Failure::Address("it is not reached by ssh"));
        };
        let ssh = &settings.ssh;
        let secret = secret(remote, settings);
        let files = if secret.is_some() || (ssh.ignore_local && ssh.private_key.is_some()) || ssh.host_key.is_some() {
            Some(PrivateDirectory::create(&settings.basedir)?)
        } else {
            None
        };
        let mut options = Options(vec!["-T".to_owned()]);
        options.add("NumberOfPasswordPrompts=1");
        if secret.is_none() {
            options.add("BatchMode=yes");
        }
        options.identity(ssh, files.as_ref())?;
        options.host_key(ssh, host, *port, files.as_ref())?;
        if let Some(files) = files.as_ref().filter(|_| secret.is_some()) {
            files.write("ask", 0o700, &format!("#!/bin/sh\nprintf '%s\\n' \"${ASKED}\"\n"))?;
        }
        options.destination(user.as_deref(), host, *port, path);
        Ok(Self {
            arguments: options.0,
            secret,
            files,
        })
    }

    fn command(&self) -> Command {
        let mut command = Command::new("ssh");
        command
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if let (Some(secret), Some(files)) = (&self.secret, &self.files) {
            command
                .env("SSH_ASKPASS", files.0.join("ask"))
                .env("SSH_ASKPASS_REQUIRE", "force")
                .env(ASKED, secret.expose());
        }
        command
    }
}

/// The key's passphrase, else the password of the account.
fn secret(remote: &Remote, settings: &GitSettings) -> Option<Secret> {
    let configured = &settings.credentials;
    configured
        .passphrase
        .clone()
        .or_else(|| configured.password.clone())
        .or_else(|| remote.login.as_ref().map(|login| login.password.clone()))
}

/// Options of the `ssh` program.
struct Options(Vec<String>);

impl Options {
    fn add(&mut self, option: &str) {
        self.0.extend(["-o".to_owned(), option.to_owned()]);
    }

    /// Which key is offered.
    fn identity(&mut self, ssh: &SshSettings, files: Option<&PrivateDirectory>) -> Result<(), Failure> {
        if !ssh.ignore_local {
            return Ok(());
        }
        self.0.extend(["-F".to_owned(), "none".to_owned()]);
        if let (Some(key), Some(files)) = (&ssh.private_key, files) {
            // A key whose last line does not end is not read.
            let path = files.write("key", 0o600, &format!("{}\n", key.expose().trim_end()))?;
            self.0.extend(["-i".to_owned(), text(&path)?]);
            self.add("IdentitiesOnly=yes");
            self.add("IdentityAgent=none");
        }
        if let Some(methods) = &ssh.preferred_authentications {
            self.add(&format!("PreferredAuthentications={methods}"));
        }
        Ok(())
    }

    /// How the remote proves who it is (contract 8: with settings of ours and no host key, checking
    /// is off in the stock server whatever `strict-host-key-checking` says; not here).
    fn host_key(
        &mut self,
        ssh: &SshSettings,
        host: &str,
        port: Option<u16>,
        files: Option<&PrivateDirectory>,
    ) -> Result<(), Failure> {
        if let (Some(key), Some(files)) = (&ssh.host_key, files) {
            let algorithm = ssh
                .host_key_algorithm
                .as_deref()
                .ok_or(Failure::Setting("a host key needs its algorithm"))?;
            let line = format!("{} {algorithm} {key}\n", known_name(host, port));
            let known = files.write("known", 0o600, &line)?;
            self.add(&format!("UserKnownHostsFile={}", text(&known)?));
            self.add("GlobalKnownHostsFile=none");
            self.add(&format!("HostKeyAlgorithms={}", signatures(algorithm)));
        } else if let Some(file) = &ssh.known_hosts_file {
            self.add(&format!("UserKnownHostsFile={}", text(file)?));
        }
        let strict = if ssh.strict_host_key_checking { "yes" } else { "no" };
        self.add(&format!("StrictHostKeyChecking={strict}"));
        Ok(())
    }

    fn destination(&mut self, user: Option<&str>, host: &str, port: Option<u16>, path: &str) {
        if let Some(port) = port {
            self.0.extend(["-p".to_owned(), port.to_string()]);
        }
        if let Some(user) = user {
            self.0.extend(["-l".to_owned(), user.to_owned()]);
        }
        let host = host.trim_start_matches('[').trim_end_matches(']');
        self.0.extend([
            "--".to_owned(),
            host.to_owned(),
            format!("git-upload-pack {}", quoted(path)),
        ]);
    }
}

/// The remote's shell reads the command line.
fn quoted(path: &str) -> String {
    format!("'{}'", path.replace('\'', "'\\''"))
}

/// How a host stands in a known hosts file.
fn known_name(host: &str, port: Option<u16>) -> String {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    match port {
        None | Some(22) => host.to_owned(),
        Some(port) => format!("[{host}]:{port}"),
    }
}

/// An RSA key signs with hashes whose names differ from the key's.
fn signatures(algorithm: &str) -> &str {
    match algorithm {
        "ssh-rsa" => "rsa-sha2-512,rsa-sha2-256,ssh-rsa",
        other => other,
    }
}

fn text(path: &Path) -> Result<String, Failure> {
    // `ssh` splits an option's value at blanks unless it is quoted.
    let path = path.to_str().ok_or(Failure::Setting("a path is not UTF-8"))?;
    Ok(if path.contains(' ') {
        format!("\"{path}\"")
    } else {
        path.to_owned()
    })
}

impl PrivateDirectory {
    fn create(below: &Path) -> Result<Self, Failure> {
        fs::create_dir_all(below).map_err(|error| Failure::disk(&error))?;
        let path = below.join(format!(".ssh-{:016x}", fastrand::u64(..)));
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(|error| Failure::disk(&error))?;
        Ok(Self(path))
    }

    fn write(&self, name: &str, mode: u32, text: &str) -> Result<PathBuf, Failure> {
        let path = self.0.join(name);
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()));
        written.map(|()| path).map_err(|error| Failure::disk(&error))
    }
}

impl Drop for PrivateDirectory {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, "the directory with the ssh key cannot be removed");
        }
    }
}

/// Starts `ssh`; whether it gets in shows when the first bytes are read.
pub(super) fn connect(line: &Line, identity: &Identity) -> Result<Session, Failure> {
    let mut command = identity.command();
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
    } else if says("Could not resolve") || says("No route to host") {
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
    fn a_path_cannot_leave_its_quotes() {
        assert_eq!(quoted("team/x.git"), "'team/x.git'");
        assert_eq!(quoted("x'; rm -rf /; '"), r"'x'\''; rm -rf /; '\'''");
    }

    #[test]
    fn a_host_on_another_port_is_known_in_brackets() {
        assert_eq!(known_name("h", None), "h");
        assert_eq!(known_name("h", Some(22)), "h");
        assert_eq!(known_name("h", Some(2222)), "[h]:2222");
    }

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
