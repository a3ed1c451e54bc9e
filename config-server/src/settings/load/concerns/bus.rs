//! `spring.cloud.bus.*`, `spring.rabbitmq.*`, `config-bus.transport`, `config-bus.amqp.*`.

use super::Binder;
use crate::settings::bus::{AmqpSettings, AmqpTls, BusSettings, StoreFile};
use crate::settings::encrypt::{KeyStoreKind, Secret};
use crate::settings::load::known::{Group, Kind, key};
use crate::settings::load::units::Unit;
use crate::settings::load::view::View;

pub(crate) static SPRING: Group = Group {
    title: "The bus",
    prefixes: &["spring.cloud.bus"],
    keys: &[
        key("enabled", Kind::Flag, "true", "Announce changes at all."),
        key(
            "id",
            Kind::Text,
            "",
            "The server's id; `name:profiles:index:random` unless set.",
        ),
        key(
            "destination",
            Kind::Text,
            "springCloudBus",
            "The exchange of Spring applications.",
        ),
        key("ack.enabled", Kind::Ignored, "", "The server reports by other means."),
        key(
            "ack.destination-service",
            Kind::Ignored,
            "",
            "The server reports by other means.",
        ),
        key("trace.enabled", Kind::Ignored, "", "See `/bus/refreshes`."),
        key(
            "refresh.enabled",
            Kind::Ignored,
            "",
            "The server has nothing to refresh by events.",
        ),
        key(
            "env.enabled",
            Kind::Ignored,
            "",
            "The server has nothing to set by events.",
        ),
        key(
            "shutdown.enabled",
            Kind::Flag,
            "false",
            "Stop in good order when a shutdown event names the server. Spring's default is `true`.",
        ),
        key("content-type", Kind::Ignored, "", "Events are JSON."),
    ],
};

const STORES: &[&str] = &["PKCS12", "JKS"];

pub(crate) static RABBIT: Group = Group {
    title: "RabbitMQ",
    prefixes: &["spring.rabbitmq"],
    keys: &[
        key("host", Kind::Text, "localhost", "The broker."),
        key("port", Kind::Port, "", "Its port; 5672, or 5671 with TLS."),
        key(
            "addresses",
            Kind::List,
            "",
            "Several brokers: `host:port` or `amqp://user:password@host:port/vhost`.",
        ),
        key("username", Kind::Text, "guest", "Who logs in."),
        key("password", Kind::Secret, "guest", "The password."),
        key("virtual-host", Kind::Text, "/", "The virtual host."),
        key(
            "requested-heartbeat",
            Kind::Time(Unit::Seconds),
            "",
            "The broker's unless set.",
        ),
        key(
            "connection-timeout",
            Kind::Time(Unit::Millis),
            "10s",
            "All of one attempt.",
        ),
        key("ssl.enabled", Kind::Flag, "false", "Speak TLS."),
        key(
            "ssl.key-store",
            Kind::Path,
            "",
            "A store with the certificate that says who the server is.",
        ),
        key("ssl.key-store-password", Kind::Secret, "", "Opens the store."),
        key(
            "ssl.key-store-type",
            Kind::Choice(STORES),
            "PKCS12",
            "What the store is.",
        ),
        key(
            "ssl.trust-store",
            Kind::Path,
            "",
            "A store with the authorities to trust at brokers, instead of the system's.",
        ),
        key("ssl.trust-store-password", Kind::Secret, "", "Opens the store."),
        key(
            "ssl.trust-store-type",
            Kind::Choice(STORES),
            "JKS",
            "What the store is.",
        ),
        key(
            "ssl.validate-server-certificate",
            Kind::Flag,
            "true",
            "Look at the broker's certificate; without it, whoever answers is believed.",
        ),
        key(
            "ssl.verify-hostname",
            Kind::Flag,
            "true",
            "The certificate has to be of the machine that was dialled.",
        ),
        key(
            "ssl.bundle",
            Kind::Refused,
            "",
            "name the certificates in `spring.rabbitmq.ssl.key-store` and `.trust-store`, or in `config-bus.amqp.ca-file`",
        ),
        key("ssl.algorithm", Kind::Ignored, "", "TLS 1.2 and 1.3."),
    ],
};

pub(crate) static OURS: Group = Group {
    title: "Transport",
    prefixes: &["config-bus"],
    keys: &[
        key(
            "transport",
            Kind::Choice(&["embedded", "amqp"]),
            "",
            "What carries events: the server itself, or RabbitMQ. `amqp` when any of `spring.rabbitmq.*` is set, else `embedded`.",
        ),
        key(
            "amqp.exchange",
            Kind::Text,
            "config-bus",
            "The fanout exchange of config-bus.",
        ),
        key(
            "amqp.ca-file",
            Kind::Path,
            "",
            "Certificates (PEM) trusted at brokers besides the system's.",
        ),
        key(
            "amqp.spring-bridge",
            Kind::Flag,
            "true",
            "Bind it both ways with the exchange of Spring applications.",
        ),
    ],
};

pub(super) fn bind(binder: &Binder<'_>) -> BusSettings {
    let amqp = amqp(binder);
    if !binder.open(&SPRING).flag("enabled") {
        return BusSettings::Off;
    }
    let ours = binder.open(&OURS);
    let chosen = ours.written("transport").map(|_| ours.choice("transport"));
    let rabbit = binder.open(&RABBIT);
    match chosen {
        Some(1) => BusSettings::Amqp(amqp),
        None if RABBIT.keys.iter().any(|key| rabbit.has(key.name)) => BusSettings::Amqp(amqp),
        _ => BusSettings::Embedded,
    }
}

fn amqp(binder: &Binder<'_>) -> AmqpSettings {
    let view = binder.open(&RABBIT);
    let ours = binder.open(&OURS);
    let bridge = ours.flag("amqp.spring-bridge");
    let mut amqp = AmqpSettings {
        addresses: Vec::new(),
        username: view.text_or_default("username"),
        password: view.secret("password").unwrap_or_default(),
        virtual_host: view.text_or_default("virtual-host"),
        tls: view.flag("ssl.enabled").then(|| tls(binder)),
        heartbeat: view
            .written("requested-heartbeat")
            .map(|_| view.time("requested-heartbeat")),
        connection_timeout: view.time("connection-timeout"),
        exchange: ours.text_or_default("amqp.exchange"),
        spring_exchange: bridge.then(|| binder.open(&SPRING).text_or_default("destination")),
    };
    addresses(binder, &mut amqp);
    amqp
}

fn tls(binder: &Binder<'_>) -> AmqpTls {
    let view = binder.open(&RABBIT);
    AmqpTls {
        ca_file: binder.open(&OURS).path("amqp.ca-file"),
        trust_store: store(&view, "ssl.trust-store"),
        key_store: store(&view, "ssl.key-store"),
        validates: view.flag("ssl.validate-server-certificate"),
        verifies_hostname: view.flag("ssl.verify-hostname"),
    }
}

fn store(view: &View<'_>, name: &str) -> Option<StoreFile> {
    let kind = match view.choice(&format!("{name}-type")) {
        0 => KeyStoreKind::Pkcs12,
        _ => KeyStoreKind::Jks,
    };
    Some(StoreFile {
        location: view.path(name)?,
        password: view.secret(&format!("{name}-password")).unwrap_or_default(),
        kind,
    })
}

/// `addresses` wins over `host` and `port`; what its first address says wins over the rest.
fn addresses(binder: &Binder<'_>, amqp: &mut AmqpSettings) {
    let view = binder.open(&RABBIT);
    let listed = view.list("addresses");
    if listed.is_empty() {
        let port = match view.written("port") {
            Some(_) => view.number("port", "a port: a number from 1 to 65535"),
            None => default_port(amqp.tls.is_some()),
        };
        amqp.addresses.push((view.text_or_default("host"), port));
    }
    for (place, address) in listed.iter().enumerate() {
        if !add_address(binder, amqp, address, place == 0) {
            view.wrong(
                "addresses",
                "a list of `host:port` or `amqp://user:password@host:port/vhost`",
            );
        }
    }
}

fn add_address(binder: &Binder<'_>, amqp: &mut AmqpSettings, text: &str, first: bool) -> bool {
    let full = if text.contains("://") {
        text.to_owned()
    } else {
        format!("amqp://{text}")
    };
    let Ok(url) = url::Url::parse(&full) else {
        return false;
    };
    let (Some(host), "amqp" | "amqps") = (url.host_str(), url.scheme()) else {
        return false;
    };
    if first && url.scheme() == "amqps" {
        amqp.tls = amqp.tls.take().or_else(|| Some(tls(binder)));
    }
    let port = url.port().unwrap_or_else(|| default_port(amqp.tls.is_some()));
    amqp.addresses.push((host.to_owned(), port));
    if first {
        take_login(&url, amqp);
    }
    true
}

fn take_login(url: &url::Url, amqp: &mut AmqpSettings) {
    let decoded = |text: &str| {
        percent_encoding::percent_decode_str(text)
            .decode_utf8_lossy()
            .into_owned()
    };
    if !url.username().is_empty() {
        amqp.username = decoded(url.username());
        amqp.password = Secret::new(decoded(url.password().unwrap_or_default()));
    }
    match url.path() {
        "" => {}
        path => amqp.virtual_host = decoded(path.trim_start_matches('/')),
    }
}

fn default_port(tls: bool) -> u16 {
    if tls { 5671 } else { 5672 }
}
