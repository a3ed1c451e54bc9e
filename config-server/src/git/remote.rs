//! The address of a remote as configured: how to get there, and what may be shown of it.

use std::path::PathBuf;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use url::Url;

use super::error::Failure;
use crate::settings::encrypt::Secret;

/// A parsed address.
#[derive(Debug, Clone)]
pub struct Remote {
    /// As configured, without credentials: begins source names, stands in messages and ids.
    pub shown: Arc<str>,
    pub address: Address,
    /// Written into the address itself: `https://name:password@host/..`.
    pub(super) login: Option<Login>,
}

/// Where a remote is, by the way to get there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A directory of this machine.
    Local(PathBuf),
    /// `http` and `https`, without user information.
    Http(Url),
    /// `git://`
    Daemon { host: String, port: u16, path: String },
    /// `ssh://` and `user@host:path`
    Ssh {
        user: Option<String>,
        host: String,
        port: Option<u16>,
        path: String,
    },
}

/// A name and password.
#[derive(Debug, Clone)]
pub(super) struct Login {
    pub(super) name: String,
    pub(super) password: Secret,
}

impl Remote {
    /// Reads an address as git does: a URL, `user@host:path`, or a path.
    ///
    /// # Errors
    /// [`Failure::Address`] says what is wrong with it.
    pub fn parse(uri: &str) -> Result<Self, Failure> {
        let uri = uri.trim();
        if uri.is_empty() {
            return Err(Failure::Address("it is empty"));
        }
        if let Some(path) = uri.strip_prefix("file:") {
            return local(uri, path);
        }
        if uri.contains("://") {
            return by_url(uri);
        }
        match uri.split_once(':') {
            Some((host, path)) if !host.contains('/') => secure_copy_form(uri, host, path),
            _ => local(uri, uri),
        }
    }

    /// Whether the remote is a directory of this machine.
    #[must_use]
    pub fn local_path(&self) -> Option<&PathBuf> {
        match &self.address {
            Address::Local(path) => Some(path),
            Address::Http(_) | Address::Daemon { .. } | Address::Ssh { .. } => None,
        }
    }
}

fn local(uri: &str, path: &str) -> Result<Remote, Failure> {
    // `file:/srv/repo`, `file:///srv/repo` and `file://localhost/srv/repo` are one place.
    let path = match path.strip_prefix("//") {
        Some(rest) => rest.strip_prefix("localhost").unwrap_or(rest),
        None => path,
    };
    let path = if uri.starts_with("file:") {
        percent_decode_str(path)
            .decode_utf8()
            .map_err(|_| Failure::Address("the path is not UTF-8"))?
            .into_owned()
    } else {
        path.to_owned()
    };
    if path.is_empty() {
        return Err(Failure::Address("it has no path"));
    }
    Ok(Remote {
        shown: uri.into(),
        address: Address::Local(path.into()),
        login: None,
    })
}

fn by_url(uri: &str) -> Result<Remote, Failure> {
    let mut url = Url::parse(uri).map_err(|_| Failure::Address("it is not a URL"))?;
    let host = url
        .host_str()
        .filter(|host| !host.is_empty() && !host.starts_with('-'))
        .ok_or(Failure::Address("it names no host"))?
        .to_owned();
    let user = Some(decode(url.username())).filter(|user| !user.is_empty());
    let login = login(&url);
    let path = decode(url.path());
    let address = match url.scheme() {
        "http" | "https" => {
            if url.set_username("").and_then(|()| url.set_password(None)).is_err() {
                return Err(Failure::Address("it names no host"));
            }
            Address::Http(url)
        }
        "git" => Address::Daemon {
            host,
            port: url.port().unwrap_or(9418),
            path,
        },
        "ssh" | "git+ssh" | "ssh+git" => Address::Ssh {
            user: checked_user(user)?,
            host,
            port: url.port(),
            // `ssh://host/~user/repo` is relative to a home directory.
            path: path.strip_prefix("/~").map_or(path.clone(), |rest| format!("~{rest}")),
        },
        _ => return Err(Failure::Address("its scheme is none of file, http, https, git, ssh")),
    };
    let shown = shown(uri, matches!(address, Address::Ssh { .. }));
    Ok(Remote { shown, address, login })
}

fn secure_copy_form(uri: &str, host: &str, path: &str) -> Result<Remote, Failure> {
    let (user, host) = match host.rsplit_once('@') {
        Some((user, host)) => (Some(user.to_owned()), host),
        None => (None, host),
    };
    if host.is_empty() || host.starts_with('-') || path.is_empty() {
        return Err(Failure::Address("it names no host or no path"));
    }
    Ok(Remote {
        shown: uri.into(),
        address: Address::Ssh {
            user: checked_user(user)?,
            host: host.to_owned(),
            port: None,
            path: path.to_owned(),
        },
        login: None,
    })
}

/// A user that begins with a dash would be an option to `ssh`.
fn checked_user(user: Option<String>) -> Result<Option<String>, Failure> {
    match user {
        Some(user) if user.starts_with('-') => Err(Failure::Address("its user name begins with `-`")),
        user => Ok(user),
    }
}

fn login(url: &Url) -> Option<Login> {
    let password = url.password().map(decode);
    let name = decode(url.username());
    // A lone name is a token, except for ssh where it is a login name.
    if password.is_none() && (name.is_empty() || url.scheme().contains("ssh")) {
        return None;
    }
    Some(Login {
        name,
        password: Secret::new(password.unwrap_or_default()),
    })
}

/// The address without user information; a login name of ssh stays, it is part of the place.
fn shown(uri: &str, keep_name: bool) -> Arc<str> {
    let Some((scheme, rest)) = uri.split_once("://") else {
        return uri.into();
    };
    let authority = rest.split('/').next().unwrap_or(rest);
    let Some((user, host)) = authority.rsplit_once('@') else {
        return uri.into();
    };
    let path = &rest[authority.len()..];
    let name = user.split(':').next().unwrap_or(user);
    if keep_name {
        format!("{scheme}://{name}@{host}{path}").into()
    } else {
        format!("{scheme}://{host}{path}").into()
    }
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(uri: &str) -> Remote {
        Remote::parse(uri).unwrap_or_else(|failure| panic!("{uri}: {failure}"))
    }

    #[test]
    fn every_spelling_of_a_local_path_is_the_same_place() {
        for uri in [
            "/srv/my repo",
            "file:/srv/my%20repo",
            "file:///srv/my%20repo",
            "file://localhost/srv/my repo",
        ] {
            assert_eq!(parsed(uri).local_path(), Some(&PathBuf::from("/srv/my repo")), "{uri}");
        }
    }

    #[test]
    fn credentials_in_an_address_are_used_and_never_shown() {
        let remote = parsed("https://me:s3%40cret@git.example/team/config.git");
        assert_eq!(&*remote.shown, "https://git.example/team/config.git");
        let login = remote.login.expect("a login");
        assert_eq!((login.name.as_str(), login.password.expose()), ("me", "s3@cret"));
        assert!(matches!(remote.address, Address::Http(url) if url.as_str() == "https://git.example/team/config.git"));

        assert_eq!(&*parsed("https://token@git.example/x").shown, "https://git.example/x");
        assert_eq!(&*parsed("ssh://git:pw@h:22/x").shown, "ssh://git@h:22/x");
    }

    #[test]
    fn both_forms_of_ssh_are_read() {
        let expected = |path: &str| Address::Ssh {
            user: Some("git".to_owned()),
            host: "git.example".to_owned(),
            port: None,
            path: path.to_owned(),
        };
        assert_eq!(
            parsed("git@git.example:team/config.git").address,
            expected("team/config.git")
        );
        assert_eq!(
            parsed("ssh://git@git.example/team/c.git").address,
            expected("/team/c.git")
        );
        assert_eq!(parsed("ssh://git@git.example/~me/c.git").address, expected("~me/c.git"));
    }

    #[test]
    fn addresses_that_would_be_options_or_nothing_are_refused() {
        for uri in [
            "",
            "file:",
            "ftp://host/x",
            "ssh://-oProxyCommand=x/y",
            "-oProxyCommand=x:y",
            "ssh://-l@host/y",
        ] {
            assert!(Remote::parse(uri).is_err(), "{uri}");
        }
    }
}
