//! How the server listens: `server.*`, `spring.security.user.*`, `config-bus.http.*`.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use super::encrypt::Secret;

/// Listening, limits, and who may come in.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    pub address: IpAddr,
    /// 0 takes a free port.
    pub port: u16,
    pub user: Option<User>,
    pub tls: Option<TlsSettings>,
    /// `spring.cloud.config.server.prefix`, beginning with `/`; empty for none.
    pub prefix: String,
    /// Time for a request's head.
    pub header_timeout: Duration,
    /// Bytes of a request's body.
    pub body_limit: usize,
    pub max_connections: usize,
    /// How long requests may finish after a stop.
    pub shutdown_grace: Duration,
}

/// `spring.security.user.*`
#[derive(Debug, Clone)]
pub struct User {
    pub name: String,
    pub password: Secret,
}

/// `server.ssl.*`
#[derive(Debug, Clone)]
pub enum TlsSettings {
    Pem {
        certificate: PathBuf,
        private_key: PathBuf,
    },
    Pkcs12 {
        key_store: PathBuf,
        password: Secret,
        alias: Option<String>,
    },
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            port: 8888,
            user: None,
            tls: None,
            prefix: String::new(),
            header_timeout: Duration::from_secs(10),
            body_limit: 4 * 1024 * 1024,
            max_connections: 20_000,
            shutdown_grace: Duration::from_secs(20),
        }
    }
}
