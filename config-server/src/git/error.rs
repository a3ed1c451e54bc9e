//! What can go wrong with a remote or its mirror, in words that are safe for strangers.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use git2::{ErrorClass, ErrorCode};
use thiserror::Error;

/// A remote, without credentials, and what went wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{remote}: {failure}")]
pub struct GitError {
    pub remote: Arc<str>,
    pub failure: Failure,
}

/// What went wrong. No variant holds text that came from the remote or from the file system: such
/// texts name paths of the server, or repeat credentials.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Failure {
    #[error("this is no address of a git repository: {0}")]
    Address(&'static str),
    #[error("the remote cannot be reached: {0}")]
    Unreachable(io::ErrorKind),
    #[error("the remote's host name is not known")]
    UnknownHost,
    #[error("the remote's certificate is not trusted")]
    Certificate,
    #[error("the remote's host key is not the expected one")]
    HostKey,
    #[error("the remote did not answer within {0:?}")]
    TimedOut(Duration),
    #[error("the remote refuses the credentials")]
    Unauthorized,
    #[error("the proxy cannot be reached")]
    ProxyUnreachable,
    #[error("the proxy refuses the credentials")]
    ProxyUnauthorized,
    #[error("the proxy opens no way to the remote")]
    ProxyRefused,
    #[error("the remote answers with HTTP status {0}")]
    Status(u16),
    #[error("the remote redirects to where it must not")]
    Redirect,
    #[error("there is no git repository at this address")]
    NotARepository,
    #[error("the remote does not speak git's protocol")]
    Protocol,
    #[error("the repository uses {0}, which is not supported")]
    Unsupported(&'static str),
    #[error("the `ssh` program is not installed on the server")]
    SshMissing,
    #[error("the repository's data is damaged")]
    Corrupt,
    #[error("the remote's data is damaged")]
    RemoteDamaged,
    #[error("the commit is not in the repository")]
    UnknownCommit,
    #[error("a commit is larger than the limit of {limit} {what}")]
    TooLarge { what: &'static str, limit: u64 },
    #[error("the local copy cannot be kept on disk: {0}")]
    Disk(io::ErrorKind),
    #[error("a setting of the repository is wrong: {0}")]
    Setting(&'static str),
    #[error("there are more repositories than `max-mirrors`: this one gave way")]
    Displaced,
    #[error("the server is stopping")]
    Stopped,
}

impl Failure {
    /// What failed on disk.
    pub(super) fn disk(error: &io::Error) -> Self {
        Self::Disk(error.kind())
    }

    /// Classifies what libgit2 says about reading the mirror.
    pub(super) fn reading(error: &git2::Error) -> Self {
        tracing::debug!(%error, "reading the mirror failed");
        match error.class() {
            ErrorClass::Repository if error.message().contains("extension") => Self::Unsupported("an extension"),
            ErrorClass::Os | ErrorClass::Filesystem if error.code() != ErrorCode::NotFound => {
                Self::Disk(io::ErrorKind::Other)
            }
            _ => Self::Corrupt,
        }
    }

    /// Classifies what libgit2 says about a fetch when the transport itself did not fail.
    pub(super) fn fetching(error: &git2::Error) -> Self {
        tracing::debug!(%error, "fetching failed");
        match (error.class(), error.code()) {
            (ErrorClass::Repository, _) if error.message().contains("extension") => Self::Unsupported("an extension"),
            // An object that the mirror should have, though it says "not found" too.
            (ErrorClass::Odb | ErrorClass::Zlib | ErrorClass::Indexer | ErrorClass::Object | ErrorClass::Tree, _) => {
                Self::Corrupt
            }
            (_, ErrorCode::NotFound) | (ErrorClass::Repository, _) => Self::NotARepository,
            (ErrorClass::Os | ErrorClass::Filesystem | ErrorClass::Reference, _) => Self::Disk(io::ErrorKind::Other),
            _ => Self::Protocol,
        }
    }

    /// Whether a fresh copy of the repository would help.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Corrupt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_that_the_mirror_lacks_is_damage_and_a_repository_that_is_not_there_is_none() {
        let failure = |class| Failure::fetching(&git2::Error::new(ErrorCode::NotFound, class, "not found"));
        assert_eq!(failure(ErrorClass::Odb), Failure::Corrupt);
        assert_eq!(failure(ErrorClass::Os), Failure::NotARepository);
        assert_eq!(failure(ErrorClass::Repository), Failure::NotARepository);
    }
}
