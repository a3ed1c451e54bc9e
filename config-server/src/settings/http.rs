//! How the server listens: `server.*`, `spring.security.user.*`, `config-bus.http.*`.

use std::net::IpAddr;
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
