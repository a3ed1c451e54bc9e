//! How an agent hears of changes.

use std::time::Duration;

use bus::amqp::{self, Address, AmqpSettings, ClientIdentity, TlsSettings};
use bus::embedded::{self, FollowSettings};
use bus::{Credentials, Link, Secret, Subscriber};
use percent_encoding::percent_decode_str;
use thiserror::Error;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use crate::fetch::{FetchSettings, Fetcher, Login};
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
#[error("the address of the broker is not of the form amqp://user:password@host:port/vhost?exchange=name")]
pub struct BrokerUrlError;

/// One node of a broker, and what its address says besides.
#[derive(Debug)]
struct Node {
    address: Address,
    encrypted: bool,
    login: Option<Credentials>,
    virtual_host: Option<String>,
    exchange: Option<String>,
}

impl Bus {
    /// The broker at `amqp[s]://[user:password@]host[:port][/vhost][?exchange=name]`; `guest` when no
    /// user is named. Several of its nodes are written with commas and tried in order: what the
    /// first says of user, virtual host and exchange counts for all, and no other may contradict it.
    ///
    /// # Errors
    /// [`BrokerUrlError`] when the text is not of this form.
    pub fn amqp(urls: &str) -> Result<Self, BrokerUrlError> {
        let nodes: Vec<Node> = urls.split(',').map(Node::parse).collect::<Result<_, _>>()?;
        let first = nodes.first().ok_or(BrokerUrlError)?;
        if !nodes.iter().all(|node| node.agrees_with(first)) {
            return Err(BrokerUrlError);
        }
        let addresses = nodes.iter().map(|node| node.address.clone()).collect();
        let mut settings = AmqpSettings::new(addresses, first.login.clone().unwrap_or_else(guest));
        settings.tls = first.encrypted.then(TlsSettings::default);
        if let Some(virtual_host) = &first.virtual_host {
            virtual_host.clone_into(&mut settings.virtual_host);
        }
        if let Some(exchange) = &first.exchange {
            settings = settings.on_exchange(exchange);
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
                    encrypt_as(fetcher, tls);
                }
                let broker = amqp::follow(*settings, subscriber(follows), tracker, stop.clone());
                let servers = through_servers(follows, fetcher, tracker, stop.clone());
                Some(bus::fallback(broker, servers, BROKER_PATIENCE, tracker, stop))
            }
            Self::Embedded => Some(through_servers(follows, fetcher, tracker, stop)()),
        }
    }
}

impl Node {
    fn parse(url: &str) -> Result<Self, BrokerUrlError> {
        let url = Url::parse(url.trim()).map_err(|_| BrokerUrlError)?;
        let (encrypted, port) = match url.scheme() {
            "amqp" => (false, 5672),
            "amqps" => (true, 5671),
            _ => return Err(BrokerUrlError),
        };
        let host = url.host_str().ok_or(BrokerUrlError)?.trim_matches(['[', ']']);
        let named = |text: &str| (!text.is_empty()).then(|| decoded(text));
        Ok(Self {
            address: Address {
                host: host.to_owned(),
                port: url.port().unwrap_or(port),
            },
            encrypted,
            login: named(url.username()).map(|username| Credentials {
                username,
                password: Secret::new(url.password().map(decoded).unwrap_or_default()),
            }),
            virtual_host: named(url.path().trim_start_matches('/')),
            exchange: exchange(&url)?,
        })
    }

    fn agrees_with(&self, first: &Self) -> bool {
        fn unsaid_or_same<T: PartialEq>(said: Option<&T>, first: Option<&T>) -> bool {
            said.is_none() || said == first
        }
        self.encrypted == first.encrypted
            && unsaid_or_same(self.login.as_ref(), first.login.as_ref())
            && unsaid_or_same(self.virtual_host.as_ref(), first.virtual_host.as_ref())
            && unsaid_or_same(self.exchange.as_ref(), first.exchange.as_ref())
    }
}

/// The only thing that may stand after `?`.
fn exchange(url: &Url) -> Result<Option<String>, BrokerUrlError> {
    let mut exchange = None;
    for (name, value) in url.query_pairs() {
        match &*name {
            "exchange" if !value.is_empty() => exchange = Some(value.into_owned()),
            _ => return Err(BrokerUrlError),
        }
    }
    Ok(exchange)
}

fn guest() -> Credentials {
    Credentials {
        username: "guest".to_owned(),
        password: Secret::new("guest"),
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

/// Whoever vouches for the servers vouches for the broker, and who shows a certificate to those
/// shows it to this, unless something else was named.
fn encrypt_as(fetcher: &Fetcher, tls: &mut TlsSettings) {
    let FetchSettings {
        authorities, identity, ..
    } = fetcher.settings();
    if tls.authorities.is_none() && !authorities.is_empty() {
        let texts: Vec<_> = authorities.iter().map(|pem| String::from_utf8_lossy(pem)).collect();
        tls.authorities = Some(texts.join("\n"));
    }
    if let (None, Some(pem)) = (&tls.identity, identity) {
        let both = String::from_utf8_lossy(pem).into_owned();
        tls.identity = Some(ClientIdentity {
            certificates: both.clone(),
            key: Secret::new(both),
        });
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
    fn several_nodes_are_tried_in_order_as_one_broker() {
        let both = settings("amqp://me:pw@a/v?exchange=config, amqp://b:7000,amqp://me:pw@[::1]/v");
        let addresses: Vec<_> = both.addresses.iter().map(Address::to_string).collect();
        assert_eq!(addresses, ["a:5672", "b:7000", "::1:5672"]);
        assert_eq!(both.virtual_host, "v");
        assert_eq!((&*both.exchange, &*both.reports_exchange), ("config", "config.reports"));
        for contradicting in [
            "amqp://me:pw@a,amqp://you:pw@b",
            "amqp://a/v,amqp://b/w",
            "amqp://a,amqps://b",
            "amqp://a,amqp://b?exchange=config",
            "amqp://a,",
            "amqp://a?heartbeat=5",
            "amqp://a?exchange=",
        ] {
            assert!(Bus::amqp(contradicting).is_err(), "{contradicting}");
        }
    }

    #[test]
    fn who_is_believed_and_shown_at_the_servers_is_at_the_broker_too() {
        let files = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../bus/tests/data/tls");
        let read = |name: &str| std::fs::read_to_string(files.join(name)).expect("a file of the tests");
        let own = read("client.pem") + &read("client.key");
        let mut asked = FetchSettings::new(Vec::new());
        asked.authorities = vec![read("authority.pem").into_bytes()];
        asked.identity = Some(own.clone().into_bytes());
        let mut tls = settings("amqps://broker").tls.expect("TLS");
        encrypt_as(&Fetcher::new(asked).expect("a client"), &mut tls);
        assert_eq!(tls.authorities, Some(read("authority.pem")));
        let shown = tls.identity.expect("an identity");
        assert_eq!(
            (shown.certificates.as_str(), shown.key.reveal()),
            (own.as_str(), own.as_str())
        );
    }

    #[test]
    fn another_address_is_refused_without_repeating_it() {
        let error = Bus::amqp("http://me:s3cret@broker").expect_err("no broker").to_string();
        assert!(!error.contains("s3cret"), "{error}");
    }
}
