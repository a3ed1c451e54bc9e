//! Which bus carries events: `spring.cloud.bus.*`, `spring.rabbitmq.*`, `config-bus.transport`.

use std::path::PathBuf;
use std::time::Duration;

use super::encrypt::{KeyStoreKind, Secret};

/// The transport.
#[derive(Debug, Clone)]
pub enum BusSettings {
    /// `spring.cloud.bus.enabled=false`: heads are served, nothing is announced.
    Off,
    /// In process, over server-sent events.
    Embedded,
    /// RabbitMQ.
    Amqp(AmqpSettings),
}

/// `spring.rabbitmq.*`, `spring.cloud.bus.destination`, `config-bus.amqp.*`
#[derive(Debug, Clone)]
pub struct AmqpSettings {
    /// `host:port` of each broker, in the order they are tried.
    pub addresses: Vec<(String, u16)>,
    pub username: String,
    pub password: Secret,
    pub virtual_host: String,
    pub tls: Option<AmqpTls>,
    /// `None` takes what the broker proposes.
    pub heartbeat: Option<Duration>,
    pub connection_timeout: Duration,
    /// Our own fanout exchange.
    pub exchange: String,
    /// Spring's topic exchange to be bound with; `None` when the bridge is off.
    pub spring_exchange: Option<String>,
}

/// `spring.rabbitmq.ssl.*`, `config-bus.amqp.ca-file`
#[derive(Debug, Clone)]
pub struct AmqpTls {
    /// PEM bundle trusted besides the system's authorities.
    pub ca_file: Option<PathBuf>,
    /// The authorities that are trusted instead of the system's.
    pub trust_store: Option<StoreFile>,
    /// Our own certificate with its key.
    pub key_store: Option<StoreFile>,
    /// Whether the broker's certificate is looked at.
    pub validates: bool,
    /// Whether it has to be of the machine that was dialled.
    pub verifies_hostname: bool,
}

/// A key store of Java's.
#[derive(Debug, Clone)]
pub struct StoreFile {
    pub location: PathBuf,
    pub password: Secret,
    pub kind: KeyStoreKind,
}
