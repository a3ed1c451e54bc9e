//! The broker as the settings name it: files read, key stores opened.

use std::io;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bus::amqp::{self, Checks, ClientIdentity};
use thiserror::Error;

use crate::engine::cipher::{KeyError, StoreKind, TlsIdentity, TlsMaterial};
use crate::settings::bus::{AmqpSettings, AmqpTls, StoreFile};
use crate::settings::encrypt::KeyStoreKind;

const CA_FILE: &str = "config-bus.amqp.ca-file";
const KEY_STORE: &str = "spring.rabbitmq.ssl.key-store";
const TRUST_STORE: &str = "spring.rabbitmq.ssl.trust-store";

/// Why the bus cannot be joined. A broker that is away is no reason: it is waited for.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BrokerFault {
    #[error("cannot read the file of `{setting}`")]
    Read {
        setting: &'static str,
        #[source]
        source: io::Error,
    },
    #[error("cannot open the store of `{setting}`")]
    Store {
        setting: &'static str,
        #[source]
        source: KeyError,
    },
    #[error("the store of `{KEY_STORE}` holds no private key that its password opens")]
    NoKey,
    #[error("the store of `{TRUST_STORE}` holds no certificate to trust")]
    NothingTrusted,
}

/// What the bus is told.
///
/// # Errors
/// [`BrokerFault`] names the setting whose file is at fault.
pub(super) fn broker(settings: &AmqpSettings) -> Result<amqp::AmqpSettings, BrokerFault> {
    let address = |(host, port): &(String, u16)| amqp::Address {
        host: host.clone(),
        port: *port,
    };
    let credentials = bus::Credentials {
        username: settings.username.clone(),
        password: bus::Secret::new(settings.password.expose()),
    };
    let addresses = settings.addresses.iter().map(address).collect();
    let usual = amqp::AmqpSettings::new(addresses, credentials).on_exchange(&settings.exchange);
    Ok(amqp::AmqpSettings {
        virtual_host: settings.virtual_host.clone(),
        tls: settings.tls.as_ref().map(encryption).transpose()?,
        heartbeat: settings.heartbeat.unwrap_or(usual.heartbeat),
        spring_bridge: settings.spring_exchange.is_some(),
        spring_destination: settings
            .spring_exchange
            .clone()
            .unwrap_or_else(|| usual.spring_destination.clone()),
        connect_deadline: settings.connection_timeout,
        ..usual
    })
}

fn encryption(settings: &AmqpTls) -> Result<amqp::TlsSettings, BrokerFault> {
    let mut authorities = match &settings.ca_file {
        Some(file) => String::from_utf8_lossy(&read(CA_FILE, file)?).into_owned(),
        None => String::new(),
    };
    if let Some(store) = &settings.trust_store {
        authorities += &trusted(store)?;
    }
    Ok(amqp::TlsSettings {
        authorities: Some(authorities).filter(|pem| !pem.is_empty()),
        authorities_alone: settings.trust_store.is_some(),
        checks: match (settings.validates, settings.verifies_hostname) {
            (true, true) => Checks::All,
            (true, false) => Checks::AllButName,
            (false, _) => Checks::Nothing,
        },
        identity: settings.key_store.as_ref().map(identity).transpose()?,
    })
}

fn trusted(store: &StoreFile) -> Result<String, BrokerFault> {
    let certificates = open(TRUST_STORE, store)?.trusted;
    if certificates.is_empty() {
        return Err(BrokerFault::NothingTrusted);
    }
    Ok(certificates.iter().map(|der| pem("CERTIFICATE", der)).collect())
}

fn identity(store: &StoreFile) -> Result<ClientIdentity, BrokerFault> {
    let TlsIdentity { chain, key } = open(KEY_STORE, store)?.identity.ok_or(BrokerFault::NoKey)?;
    Ok(ClientIdentity {
        certificates: chain.iter().map(|der| pem("CERTIFICATE", der)).collect(),
        key: bus::Secret::new(pem("PRIVATE KEY", &key)),
    })
}

fn open(setting: &'static str, store: &StoreFile) -> Result<TlsMaterial, BrokerFault> {
    let kind = match store.kind {
        KeyStoreKind::Jks => StoreKind::Jks,
        KeyStoreKind::Pkcs12 => StoreKind::Pkcs12,
    };
    let bytes = read(setting, &store.location)?;
    TlsMaterial::read(kind, &bytes, store.password.expose()).map_err(|source| BrokerFault::Store { setting, source })
}

fn read(setting: &'static str, path: &Path) -> Result<Vec<u8>, BrokerFault> {
    std::fs::read(path).map_err(|source| BrokerFault::Read { setting, source })
}

fn pem(kind: &str, der: &[u8]) -> String {
    format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", BASE64.encode(der))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::encrypt::Secret;

    fn store(name: &str, kind: KeyStoreKind) -> StoreFile {
        let stores = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls/stores");
        StoreFile {
            location: stores.join(name),
            password: Secret::new("letmein".to_owned()),
            kind,
        }
    }

    fn tls() -> AmqpTls {
        AmqpTls {
            ca_file: None,
            trust_store: None,
            key_store: None,
            validates: true,
            verifies_hostname: true,
        }
    }

    #[test]
    fn both_kinds_of_stores_give_the_same_certificates() {
        let read = |kind, trust, key| {
            encryption(&AmqpTls {
                trust_store: Some(store(trust, kind)),
                key_store: Some(store(key, kind)),
                ..tls()
            })
            .expect("stores that open")
        };
        let one = read(KeyStoreKind::Pkcs12, "trust.p12", "client.p12");
        let other = read(KeyStoreKind::Jks, "trust.jks", "client.jks");
        assert_eq!(one, other);
        assert!(one.authorities_alone);
        let trusted = one.authorities.expect("an authority");
        assert_eq!(trusted.matches("BEGIN CERTIFICATE").count(), 1);
        let identity = one.identity.expect("an identity");
        assert_eq!(identity.certificates.matches("BEGIN CERTIFICATE").count(), 2);
        assert!(identity.key.reveal().contains("BEGIN PRIVATE KEY"));
    }

    #[test]
    fn checks_are_left_out_only_where_it_is_written() {
        for (validates, verifies_hostname, checks) in [
            (true, true, Checks::All),
            (true, false, Checks::AllButName),
            (false, true, Checks::Nothing),
            (false, false, Checks::Nothing),
        ] {
            let read = encryption(&AmqpTls {
                validates,
                verifies_hostname,
                ..tls()
            });
            assert_eq!(read.expect("nothing to open").checks, checks);
        }
    }

    #[test]
    fn what_does_not_fit_is_told_by_its_setting() {
        let wrong = |change: fn(&mut AmqpTls)| {
            let mut settings = tls();
            change(&mut settings);
            encryption(&settings).expect_err("a fault").to_string()
        };
        let no_key = wrong(|tls| tls.key_store = Some(store("trust.p12", KeyStoreKind::Pkcs12)));
        assert!(no_key.contains("ssl.key-store` holds no private key"), "{no_key}");
        let untrusting = wrong(|tls| tls.trust_store = Some(store("client.jks", KeyStoreKind::Jks)));
        assert!(
            untrusting.contains("ssl.trust-store` holds no certificate"),
            "{untrusting}"
        );
        let other_kind = wrong(|tls| tls.trust_store = Some(store("trust.p12", KeyStoreKind::Jks)));
        assert!(
            other_kind.contains("open the store of `spring.rabbitmq.ssl.trust-store`"),
            "{other_kind}"
        );
        let absent = wrong(|tls| tls.ca_file = Some("/nowhere/at/all".into()));
        assert!(absent.contains(CA_FILE) && !absent.contains("/nowhere"), "{absent}");
    }
}
