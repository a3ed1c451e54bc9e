//! TLS to a broker that asks for a certificate as well.

use std::path::{Path, PathBuf};

use bus::amqp::{Address, AmqpSettings, Checks, ClientIdentity, TlsSettings};
use bus::{LinkState, Secret};
use test_support::Broker;
use tokio::sync::OnceCell;

use crate::harness::{World, received, refresh, settings, until};

fn files() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls")
}

fn read(name: &str) -> String {
    std::fs::read_to_string(files().join(name)).expect("a file of the tests")
}

/// Everything in order, at the name in the broker's certificate.
async fn encrypted() -> AmqpSettings {
    static BROKER: OnceCell<Broker> = OnceCell::const_new();
    let broker = BROKER
        .get_or_init(async || Broker::launch_with_tls(&files()).await)
        .await;
    let mut settings = settings(broker, &broker.virtual_host().await);
    settings.addresses = vec![Address {
        host: "localhost".to_owned(),
        port: broker.tls_port(),
    }];
    settings.tls = Some(TlsSettings {
        authorities: Some(read("authority.pem")),
        identity: Some(ClientIdentity {
            certificates: read("client.pem"),
            key: Secret::new(read("client.key")),
        }),
        ..TlsSettings::default()
    });
    settings
}

fn with(mut settings: AmqpSettings, change: impl FnOnce(&mut AmqpSettings, &mut TlsSettings)) -> AmqpSettings {
    let mut tls = settings.tls.take().expect("TLS");
    change(&mut settings, &mut tls);
    settings.tls = Some(tls);
    settings
}

/// By its address: another name than the certificate is for.
fn by_address(settings: &mut AmqpSettings) {
    "127.0.0.1".clone_into(&mut settings.addresses[0].host);
}

async fn works(settings: &AmqpSettings) {
    let world = World::new();
    let server = world.server(settings).await;
    let mut agent = world.agent(settings, "orders").await;
    server.transport.publish(&refresh("e1", "**")).await.expect("taken");
    assert_eq!(received(&mut agent).await, "e1");
}

async fn is_refused(settings: &AmqpSettings, because: &str) {
    let world = World::new();
    let server = world.serve(settings);
    let told = until(&mut server.transport.state(), |state| {
        matches!(state, LinkState::Misconfigured { .. })
    })
    .await;
    let told = format!("{told:?}");
    assert!(told.contains(because), "{told}");
}

#[tokio::test]
async fn a_broker_and_its_clients_show_certificates_to_each_other() {
    let settings = encrypted().await;
    works(&settings).await;
    works(&with(settings, |_, tls| tls.authorities_alone = true)).await;
}

#[tokio::test]
async fn a_broker_nobody_vouches_for_is_refused() {
    for alone in [false, true] {
        let stranger = with(encrypted().await, |_, tls| {
            // Anybody's certificate but the authority's.
            tls.authorities = Some(read("client.pem"));
            tls.authorities_alone = alone;
        });
        is_refused(&stranger, "certificate").await;
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused_unless_the_name_does_not_matter() {
    let elsewhere = with(encrypted().await, |settings, _| by_address(settings));
    is_refused(&elsewhere, "not valid for name").await;
    works(&with(elsewhere, |_, tls| tls.checks = Checks::AllButName)).await;
}

#[tokio::test]
async fn leaving_out_the_name_leaves_out_nothing_else() {
    let stranger = with(encrypted().await, |settings, tls| {
        by_address(settings);
        tls.authorities = None;
        tls.checks = Checks::AllButName;
    });
    is_refused(&stranger, "certificate").await;
    works(&with(stranger, |_, tls| tls.checks = Checks::Nothing)).await;
}

#[tokio::test]
async fn a_client_without_a_certificate_is_told_that_the_broker_wants_one() {
    let nobody = with(encrypted().await, |_, tls| tls.identity = None);
    is_refused(&nobody, "CertificateRequired").await;
}

#[tokio::test]
async fn a_key_that_is_none_is_told_without_it() {
    let settings = with(encrypted().await, |_, tls| {
        tls.identity = Some(ClientIdentity {
            certificates: read("client.pem"),
            key: Secret::new("hunter2"),
        });
    });
    is_refused(&settings, "TLS").await;
}
