//! Who we are to a remote that is reached by `ssh`, as options of that program.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use crate::git::error::Failure;
use crate::git::remote::{Address, Remote};
use crate::settings::encrypt::Secret;
use crate::settings::{GitSettings, backend::SshSettings};

const HOST_KEY_ALONE: Failure = Failure::Setting("a host key needs its algorithm");

/// Where the child finds its passphrase or password.
const ASKED: &str = "CONFIG_BUS_SSH_SECRET";

/// Who we are to one remote, and how it is recognised.
#[derive(Debug)]
pub(in crate::git) struct Identity {
    destination: Destination,
    ssh: SshSettings,
    secret: Option<Secret>,
    basedir: PathBuf,
}

#[derive(Debug)]
struct Destination {
    user: Option<String>,
    host: String,
    port: Option<u16>,
    path: String,
}

/// A directory that only we may enter; it goes with its owner.
#[derive(Debug)]
pub(super) struct PrivateDirectory(PathBuf);

impl Identity {
    pub(super) fn new(remote: &Remote, settings: &GitSettings) -> Result<Self, Failure> {
        let Address::Ssh { user, host, port, path } = &remote.address else {
            return Err(Failure::Address("it is not reached by ssh"));
        };
        if settings.ssh.host_key.is_some() && settings.ssh.host_key_algorithm.is_none() {
            return Err(HOST_KEY_ALONE);
        }
        Ok(Self {
            destination: Destination {
                user: user.clone(),
                host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
                port: *port,
                path: path.clone(),
            },
            ssh: settings.ssh.clone(),
            secret: secret(remote, settings),
            basedir: settings.basedir.clone(),
        })
    }

    /// The program to run, and the files it reads.
    pub(super) fn command(&self) -> Result<(Command, Option<PrivateDirectory>), Failure> {
        let files = self.files()?;
        let mut options = Options(vec!["-T".to_owned()]);
        options.add("NumberOfPasswordPrompts=1");
        if self.secret.is_none() {
            options.add("BatchMode=yes");
        }
        options.identity(&self.ssh, files.as_ref())?;
        options.host_key(&self.ssh, &self.destination, files.as_ref())?;
        options.destination(&self.destination);
        let mut command = Command::new("ssh");
        command
            .args(&options.0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if let (Some(secret), Some(files)) = (&self.secret, &files) {
            let answer = format!("#!/bin/sh\nprintf '%s\\n' \"${ASKED}\"\n");
            command
                .env("SSH_ASKPASS", files.write("ask", 0o700, &answer)?)
                .env("SSH_ASKPASS_REQUIRE", "force")
                .env(ASKED, secret.expose());
        }
        Ok((command, files))
    }

    fn files(&self) -> Result<Option<PrivateDirectory>, Failure> {
        let has_key = self.ssh.ignore_local && self.ssh.private_key.is_some();
        let needed = has_key || self.secret.is_some() || self.ssh.host_key.is_some();
        needed.then(|| PrivateDirectory::create(&self.basedir)).transpose()
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
            self.add(&format!("IdentityFile={}", text(&path)?));
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
        destination: &Destination,
        files: Option<&PrivateDirectory>,
    ) -> Result<(), Failure> {
        if let (Some(key), Some(files)) = (&ssh.host_key, files) {
            let algorithm = ssh.host_key_algorithm.as_deref().ok_or(HOST_KEY_ALONE)?;
            let host = known_name(&destination.host, destination.port);
            let line = format!("{host} {algorithm} {key}\n");
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

    fn destination(&mut self, destination: &Destination) {
        if let Some(port) = destination.port {
            self.0.extend(["-p".to_owned(), port.to_string()]);
        }
        if let Some(user) = &destination.user {
            self.0.extend(["-l".to_owned(), user.clone()]);
        }
        self.0.extend([
            "--".to_owned(),
            destination.host.clone(),
            format!("git-upload-pack {}", quoted(&destination.path)),
        ]);
    }
}

/// The remote's shell reads the command line.
fn quoted(path: &str) -> String {
    format!("'{}'", path.replace('\'', "'\\''"))
}

/// How a host stands in a known hosts file.
fn known_name(host: &str, port: Option<u16>) -> String {
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

/// A path as the value of an option: `ssh` splits it at blanks, and replaces what stands after `%`.
fn text(path: &Path) -> Result<String, Failure> {
    let path = path.to_str().ok_or(Failure::Setting("a path is not UTF-8"))?;
    let escaped = path.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%");
    Ok(format!("\"{escaped}\""))
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
}
