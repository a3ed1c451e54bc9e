//! How an agent hears of changes.

use std::time::Duration;

use bus::amqp::{self, Address, AmqpSettings, TlsSettings};
use bus::embedded::{self, FollowSettings};
use bus::{Credentials, Link, Secret, Subscriber};
use percent_encoding::percent_decode_str;
use thiserror::Error;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use crate::fetch::{Fetcher, Login};
use crate::follows::Follows;

/// How long the broker may be away before an agent listens to the servers instead.
const BROKER_PATIENCE: Duration = Duration::from_secs(10);

/// How an agent hears of changes.
#[derive(Debug)]
#[non_exhaustive]
pub enum Bus {
    /// Not at all: the timer alone.
    None,
    /// The bus inside the server, over server-sent events.
    Embedded,
    /// RabbitMQ; while it cannot be reached, the bus inside the server.
    Amqp(Box<AmqpSettings>),
    /// A connection made elsewhere.
    Link(Box<Link>),
}

/// The address of a broker is not usable. The text is not repeated: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the address of the broker is not of the form amqp://user:password@host:port/vhost")]
pub struct BrokerUrlError;

impl Bus {
    /// The broker at `amqp[s]://[user:password@]host[:port][/vhost]`; `guest` when no user is named.
    ///
    /// # Errors
    /// [`BrokerUrlError`] when the text is not of this form.
    pub fn amqp(url: &str) -> Result<Self, BrokerUrlError> {
        let url = Url::parse(url.trim()).map_err(|_| BrokerUrlError)?;
        let (tls, port) = match url.scheme() {
            "amqp" => (None, 5672),
            "amqps" => (Some(TlsSettings::default()), 5671),
            _ => return Err(BrokerUrlError),
        };
        let address = Address {
            host: url
                .host_str()
                .ok_or(BrokerUrlError)?
                .trim_matches(['[', ']'])
                .to_owned(),
            port: url.port().unwrap_or(port),
        };
        let named = |text: &str| (!text.is_empty()).then(|| decoded(text));
        let credentials = Credentials {
            username: named(url.username()).unwrap_or_else(|| "guest".to_owned()),
            password: Secret::new(url.password().map_or_else(|| "guest".to_owned(), decoded)),
        };
        let mut settings = AmqpSettings::new(vec![address], credentials);
        settings.tls = tls;
        if let Some(virtual_host) = named(url.path().trim_start_matches('/')) {
            settings.virtual_host = virtual_host;
        }
        Ok(Self::Amqp(Box::new(settings)))
    }

    /// Connects for what `follows` names, until `stop`; the embedded bus is where `fetcher` asks.
    pub(super) fn connect(
        self,
        follows: &Follows,
        fetcher: &Fetcher,
        tracker: &TaskTracker,
        stop: CancellationToken,
    ) -> Option<Link> {
        match self {
            Self::None => None,
            Self::Link(link) => Some(*link),
            Self::Amqp(mut settings) => {
                if let Some(tls) = &mut settings.tls {
                    trust_as(fetcher, tls);
                }
                let broker = amqp::follow(*settings, subscriber(follows), tracker, stop.clone());
                let servers = through_servers(follows, fetcher, tracker, stop.clone());
                Some(bus::fallback(broker, servers, BROKER_PATIENCE, tracker, stop))
            }
            Self::Embedded => Some(through_servers(follows, fetcher, tracker, stop)()),
        }
    }
}

/// Opens the bus inside the servers that `fetcher` asks, as often as it is called.
fn through_servers(
    follows: &Follows,
    fetcher: &Fetcher,
    tracker: &TaskTracker,
    stop: CancellationToken,
) -> impl FnMut() -> Link + Send + use<> {
    let asked = fetcher.settings();
    let mut settings = FollowSettings::new(asked.servers.clone(), fetcher.http().clone());
    settings.credentials = credentials(asked.login.as_ref());
    let (subscriber, tracker) = (subscriber(follows), tracker.clone());
    move || embedded::follow(settings.clone(), subscriber.clone(), &tracker, stop.clone())
}

/// Whoever vouches for the servers vouches for the broker, unless somebody else was named.
fn trust_as(fetcher: &Fetcher, tls: &mut TlsSettings) {
    let authorities = &fetcher.settings().authorities;
    if tls.authorities.is_none() && !authorities.is_empty() {
        let texts: Vec<_> = authorities.iter().map(|pem| String::from_utf8_lossy(pem)).collect();
        tls.authorities = Some(texts.join("\n"));
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn credentials(login: Option<&Login>) -> Option<Credentials> {
    match login? {
        Login::Basic(credentials) => Some(credentials.clone()),
        Login::Bearer(_) => None,
    }
}

fn subscriber(follows: &Follows) -> Subscriber {
    Subscriber {
        bus_id: follows.bus_id.clone(),
        applications: follows
            .applications()
            .into_iter()
            .filter_map(|name| name.parse().ok())
            .collect(),
        profiles: follows.profiles.clone(),
        label: follows.label.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(url: &str) -> AmqpSettings {
        match Bus::amqp(url) {
            Ok(Bus::Amqp(settings)) => *settings,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_address_of_a_broker_is_read_with_its_defaults() {
        let plain = settings("amqp://broker");
        assert_eq!(plain.addresses[0].to_string(), "broker:5672");
        assert_eq!(
            (plain.credentials.username.as_str(), plain.virtual_host.as_str()),
            ("guest", "/")
        );
        let full = settings("amqps://me:p%40ss@broker:7000/a%2Fb");
        assert_eq!(full.addresses[0].to_string(), "broker:7000");
        assert_eq!(full.credentials.password.reveal(), "p@ss");
        assert_eq!(full.virtual_host, "a/b");
        assert!(full.tls.is_some());
    }

    #[test]
    fn another_address_is_refused_without_repeating_it() {
        let error = Bus::amqp("http://me:s3cret@broker").expect_err("no broker").to_string();
        assert!(!error.contains("s3cret"), "{error}");
    }
}
