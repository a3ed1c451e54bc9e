//! Which broker, as whom, and how patiently.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::secret::{Credentials, Secret};
use crate::supervise::Patience;

const PLAIN_PORT: u16 = 5672;
const EXCHANGE: &str = "config-bus";

/// Settings of both sides. Safe to print: secrets do not show.
#[derive(Debug, Clone)]
pub struct AmqpSettings {
    /// The nodes of the broker, tried in order.
    pub addresses: Vec<Address>,
    /// The virtual host: `/` is the broker's default.
    pub virtual_host: String,
    /// The user; its name also travels with each message, checked by the broker.
    pub credentials: Credentials,
    /// Encrypts the connection.
    pub tls: Option<TlsSettings>,
    /// How often each end shows that it lives; two in a row missed is a lost connection.
    pub heartbeat: Duration,
    /// The fanout exchange events travel over.
    pub exchange: String,
    /// The fanout exchange agents report to the servers over.
    pub reports_exchange: String,
    /// The destination of Spring's bus: its topic exchange, and the routing key of every event.
    pub spring_destination: String,
    /// Whether the server binds [`AmqpSettings::exchange`] and the Spring exchange both ways.
    pub spring_bridge: bool,
    /// How names of queues call this machine; `None` leaves it out.
    pub host: Option<String>,
    /// For one address, from dialling to an open connection.
    pub connect_deadline: Duration,
    /// For one message, from sending to the broker's confirm.
    pub publish_deadline: Duration,
    /// How often a subscriber asks whether its queue still has its consumer.
    pub liveness: Duration,
    /// How to connect again.
    pub patience: Patience,
}

/// One node of the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Name or address of the machine.
    pub host: String,
    /// Its port.
    pub port: u16,
}

/// How the connection is encrypted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsSettings {
    /// Authorities to trust beside those of the system, PEM.
    pub authorities: Option<String>,
    /// Trusts those alone, not the system's.
    pub authorities_alone: bool,
    /// What of the broker's certificate is looked at.
    pub checks: Checks,
    /// Who we are, for brokers that ask.
    pub identity: Option<ClientIdentity>,
}

/// What of the broker's certificate is looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Checks {
    /// Who vouches for it, its dates, and whether it is of the machine that was dialled.
    #[default]
    All,
    /// Not whether it is of the machine that was dialled.
    AllButName,
    /// Nothing: whoever answers is believed to be the broker.
    Nothing,
}

/// A client certificate with its key, as PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientIdentity {
    /// The certificate, then those that vouch for it.
    pub certificates: String,
    /// The private key, not encrypted.
    pub key: Secret,
}

impl AmqpSettings {
    /// The usual settings for a broker at `addresses`.
    #[must_use]
    pub fn new(addresses: Vec<Address>, credentials: Credentials) -> Self {
        Self {
            addresses,
            virtual_host: "/".to_owned(),
            credentials,
            tls: None,
            heartbeat: Duration::from_secs(10),
            exchange: EXCHANGE.to_owned(),
            reports_exchange: reports_of(EXCHANGE),
            spring_destination: "springCloudBus".to_owned(),
            spring_bridge: true,
            host: None,
            connect_deadline: Duration::from_secs(10),
            publish_deadline: Duration::from_secs(5),
            liveness: Duration::from_secs(30),
            patience: Patience::default(),
        }
    }

    /// The same with another exchange; reports travel over `<exchange>.reports`.
    #[must_use]
    pub fn on_exchange(mut self, exchange: &str) -> Self {
        exchange.clone_into(&mut self.exchange);
        self.reports_exchange = reports_of(exchange);
        self
    }
}

fn reports_of(exchange: &str) -> String {
    format!("{exchange}.reports")
}

impl FromStr for Address {
    type Err = String;

    /// Reads `host`, `host:port` or `[v6]:port`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                let port = port.parse().map_err(|_| "a port is a number up to 65535".to_owned())?;
                (host, port)
            }
            _ => (text, PLAIN_PORT),
        };
        if host.is_empty() || host.contains('/') {
            return Err("an address is `host` or `host:port`".to_owned());
        }
        Ok(Self {
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientIdentity(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_and_without_a_port() {
        for (text, host, port) in [
            ("rabbit", "rabbit", 5672),
            ("rabbit:5671", "rabbit", 5671),
            ("[::1]:5673", "::1", 5673),
            ("::1", "::1", 5672),
        ] {
            let host = host.to_owned();
            assert_eq!(text.parse(), Ok(Address { host, port }), "{text}");
        }
        for text in ["", ":5672", "rabbit:x", "amqp://rabbit:1", "rabbit:70000"] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }

    #[test]
    fn printing_settings_shows_no_secret() {
        let credentials = Credentials {
            username: "ops".to_owned(),
            password: Secret::new("hunter2"),
        };
        let mut settings = AmqpSettings::new(Vec::new(), credentials);
        settings.tls = Some(TlsSettings {
            identity: Some(ClientIdentity {
                certificates: "hunter2".to_owned(),
                key: Secret::new("hunter2"),
            }),
            ..TlsSettings::default()
        });
        let printed = format!("{settings:?}");
        assert!(printed.contains("ops") && !printed.contains("hunter2"), "{printed}");
    }
}
