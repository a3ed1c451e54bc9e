//! Asks a running server how it stands.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use contract::ServerStatus;
use http::StatusCode;
use reqwest::Certificate;
use thiserror::Error;
use url::Url;

use crate::settings::Settings;
use crate::settings::arguments::StatusArguments;

/// For one answer, which takes a server milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of an answer: far more than a full page has.
const LONGEST: usize = 4 * 1024 * 1024;

/// Why it is not known how the server stands.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StatusError {
    #[error("`--server` is not the URL of a server")]
    Url,
    #[error("the settings name no fixed port: say where the server is (`--server`)")]
    NoPort,
    #[error("cannot use the certificates of {}", .path.display())]
    Authorities {
        path: PathBuf,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("cannot make requests")]
    Client(#[source] reqwest::Error),
    #[error("cannot reach {at}")]
    Unreachable {
        at: String,
        #[source]
        source: reqwest::Error,
    },
    #[error("{0} wants a name and a password, other ones (`--user`, `--password`)")]
    Unknown(String),
    #[error("{at} answers {status} where a config-bus server says how it stands")]
    Refused { at: String, status: StatusCode },
    #[error("{0} is no config-bus server, or one of another version")]
    Foreign(String),
}

/// One server to ask.
pub struct Server {
    http: reqwest::Client,
    url: Url,
    login: Option<(String, String)>,
}

impl Server {
    /// The server that `asked` names, else the one that would run here by its `own` settings.
    ///
    /// # Errors
    /// [`StatusError`] when the URL or the certificates cannot be used.
    pub fn new(asked: &StatusArguments, own: Option<&Settings>) -> Result<Self, StatusError> {
        let url = match &asked.server {
            Some(server) => parsed(server)?,
            None => nearby(own)?,
        };
        let given = asked.user.clone().zip(asked.password.clone());
        let ours = own
            .filter(|_| asked.server.is_none())
            .and_then(|own| own.http.user.as_ref());
        let login = given.or_else(|| ours.map(|user| (user.name.clone(), user.password.expose().to_owned())));
        let mut http = reqwest::Client::builder().timeout(PATIENCE);
        if let Some(path) = &asked.ca_file {
            http = http.tls_certs_merge(authorities(path)?);
        }
        let http = http.build().map_err(StatusError::Client)?;
        Ok(Self { http, url, login })
    }

    /// How it stands.
    ///
    /// # Errors
    /// [`StatusError`] when it does not say so.
    pub async fn ask(&self) -> Result<ServerStatus, StatusError> {
        let mut request = self.http.get(self.url.clone());
        if let Some((name, password)) = &self.login {
            request = request.basic_auth(name, Some(password));
        }
        let unreachable = |source: reqwest::Error| StatusError::Unreachable {
            at: self.name(),
            source: source.without_url(),
        };
        let mut answer = request.send().await.map_err(unreachable)?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(StatusError::Unknown(self.name())),
            status => {
                return Err(StatusError::Refused {
                    at: self.name(),
                    status,
                });
            }
        }
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(unreachable)? {
            body.extend_from_slice(&part);
            if body.len() > LONGEST {
                return Err(StatusError::Foreign(self.name()));
            }
        }
        serde_json::from_slice(&body).map_err(|_| StatusError::Foreign(self.name()))
    }

    /// Where it is, without credentials and path.
    fn name(&self) -> String {
        self.url.origin().ascii_serialization()
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({})", self.name())
    }
}

/// The page of the server at `server`, which may lack its scheme.
fn parsed(server: &str) -> Result<Url, StatusError> {
    let scheme = if server.contains("://") { "" } else { "http://" };
    let mut url: Url = format!("{scheme}{server}").parse().map_err(|_| StatusError::Url)?;
    let usable = matches!(url.scheme(), "http" | "https") && url.query().is_none() && url.fragment().is_none();
    if !usable {
        return Err(StatusError::Url);
    }
    let mut path = url.path_segments_mut().map_err(|()| StatusError::Url)?;
    path.pop_if_empty().extend(["bus", "status"]);
    drop(path);
    Ok(url)
}

fn nearby(own: Option<&Settings>) -> Result<Url, StatusError> {
    let Some(http) = own.map(|own| &own.http) else {
        return parsed("http://localhost:8888");
    };
    let scheme = if http.tls.is_some() { "https" } else { "http" };
    let host = match http.address {
        address if address.is_unspecified() => "localhost".to_owned(),
        address if address.is_ipv6() => format!("[{address}]"),
        address => address.to_string(),
    };
    match http.port {
        0 => Err(StatusError::NoPort),
        port => parsed(&format!("{scheme}://{host}:{port}")),
    }
}

fn authorities(path: &Path) -> Result<Vec<Certificate>, StatusError> {
    let failed = |source| StatusError::Authorities {
        path: path.to_owned(),
        source,
    };
    let pem = std::fs::read(path).map_err(|error| failed(error.into()))?;
    Certificate::from_pem_bundle(&pem).map_err(|error| failed(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_with_or_without_its_scheme() {
        for (server, url) in [
            ("localhost:8888", "http://localhost:8888/bus/status"),
            ("https://config.example/", "https://config.example/bus/status"),
            ("http://proxy.example/config", "http://proxy.example/config/bus/status"),
        ] {
            assert_eq!(parsed(server).expect(server).as_str(), url);
        }
        for server in ["ftp://config.example", "http://", "http://a/?x=1", "http://a/#x"] {
            assert!(parsed(server).is_err(), "{server}");
        }
    }

    #[test]
    fn without_a_name_it_is_the_server_of_the_settings() {
        assert_eq!(
            nearby(None).expect("a URL").as_str(),
            "http://localhost:8888/bus/status"
        );
        let mut settings = Settings::for_testing("file:///srv/config.git");
        for (address, port, url) in [
            ("0.0.0.0", 80, "http://localhost/bus/status"),
            ("::1", 9000, "http://[::1]:9000/bus/status"),
        ] {
            settings.http.address = address.parse().expect("an address");
            settings.http.port = port;
            assert_eq!(nearby(Some(&settings)).expect("a URL").as_str(), url);
        }
        settings.http.port = 0;
        assert!(matches!(nearby(Some(&settings)), Err(StatusError::NoPort)));
    }

    #[test]
    fn a_server_is_called_by_its_origin_alone() {
        let asked = StatusArguments {
            server: Some("http://me:s3cret@config.example:8888/x".to_owned()),
            ..StatusArguments::default()
        };
        let server = Server::new(&asked, None).expect("a server");
        assert_eq!(server.name(), "http://config.example:8888");
        assert_eq!(format!("{server:?}"), "Server(http://config.example:8888)");
    }
}
