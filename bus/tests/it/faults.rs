//! A broker that fails, and a network that lies.

use std::time::Duration;

use bus::amqp::AmqpSettings;
use bus::{Credentials, LinkState, Receipt, Secret, TransportError};
use test_support::{Broker, FaultProxy, Weather, eventually};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::harness::{
    DEADLINE, Stranger, World, connected, fragile, hasty, lost, received, refresh, report, settings, shared, until,
};

async fn queues(broker: &Broker, settings: &AmqpSettings, owner: &str) -> Vec<String> {
    let listed = broker
        .ctl(&[
            "list_queues",
            "--quiet",
            "--no-table-headers",
            "-p",
            &settings.virtual_host,
            "name",
        ])
        .await;
    let prefix = format!("config-bus.{owner}.");
    listed
        .lines()
        .filter(|name| name.starts_with(&prefix))
        .map(str::to_owned)
        .collect()
}

/// The event arrives: published until the broker takes it, as an outbox does.
async fn publish(server: &bus::amqp::Serving, id: &str) {
    eventually("the broker takes the event", DEADLINE, async || {
        server.transport.publish(&refresh(id, "**")).await.ok()
    })
    .await;
}

#[tokio::test]
async fn a_connection_closed_by_the_broker_is_made_again_with_a_new_queue() {
    let broker = fragile().await;
    let settings = settings(&broker, &broker.virtual_host().await);
    let world = World::new();
    let server = world.server(&settings).await;
    let mut agent = world.agent(&settings, "orders").await;
    let before = queues(&broker, &settings, "orders").await;
    assert_eq!(before.len(), 1);

    broker.close_connections().await;
    lost(&mut agent).await;
    connected(&mut agent).await;
    publish(&server, "e1").await;
    assert_eq!(received(&mut agent).await, "e1");
    assert_ne!(queues(&broker, &settings, "orders").await, before);
}

#[tokio::test]
async fn a_restarted_broker_is_found_again_by_everybody() {
    let broker = fragile().await;
    let settings = settings(&broker, &broker.virtual_host().await);
    let world = World::new();
    let server = world.server(&settings).await;
    let mut agent = world.agent(&settings, "orders").await;

    broker.kill();
    lost(&mut agent).await;
    until(&mut server.transport.state(), |state| {
        matches!(state, LinkState::Waiting { .. })
    })
    .await;
    assert!(matches!(
        server.transport.publish(&refresh("e0", "**")).await,
        Err(TransportError::NotConnected(_))
    ));
    assert!(agent.reports.report(&report("orders")).await.is_err());

    broker.start().await;
    connected(&mut agent).await;
    publish(&server, "e1").await;
    assert_eq!(received(&mut agent).await, "e1");
}

#[tokio::test]
async fn a_memory_alarm_blocks_publishing_visibly_and_nothing_else() {
    let broker = fragile().await;
    let mut settings = settings(&broker, &broker.virtual_host().await);
    settings.publish_deadline = Duration::from_secs(1);
    let world = World::new();
    let server = world.server(&settings).await;
    let mut agent = world.agent(&settings, "orders").await;

    broker.alarm(true).await;
    assert_eq!(
        server.transport.publish(&refresh("e1", "**")).await,
        Err(TransportError::TimedOut)
    );
    let mut state = server.transport.state();
    until(&mut state, |state| matches!(state, LinkState::Blocked { .. })).await;
    assert!(matches!(
        server.transport.publish(&refresh("e1", "**")).await,
        Err(TransportError::NotConnected(reason)) if reason.contains("takes no messages")
    ));
    assert!(agent.state.borrow().is_connected(), "who only hears is not blocked");

    broker.alarm(false).await;
    until(&mut state, LinkState::is_connected).await;
    publish(&server, "e2").await;
    // The late copy of e1 may come first; it is a repetition to whoever retried it.
    while received(&mut agent).await != "e2" {}
}

#[tokio::test]
async fn a_queue_deleted_by_an_operator_is_replaced() {
    let (broker, settings) = shared().await;
    let world = World::new();
    let server = world.server(&settings).await;
    let mut agent = world.agent(&settings, "orders").await;
    let before = queues(broker, &settings, "orders").await;
    broker
        .ctl(&["delete_queue", "-p", &settings.virtual_host, &before[0]])
        .await;
    lost(&mut agent).await;
    connected(&mut agent).await;
    publish(&server, "e1").await;
    assert_eq!(received(&mut agent).await, "e1");
}

#[tokio::test]
async fn a_deleted_exchange_is_declared_again() {
    let (broker, settings) = shared().await;
    let world = World::new();
    let server = world.server(&settings).await;
    let stranger = Stranger::join(broker.address(), &settings.virtual_host).await;
    stranger
        .channel
        .exchange_delete("config-bus".into(), Default::default())
        .await
        .expect("deleted");
    assert!(matches!(
        server.transport.publish(&refresh("e1", "**")).await,
        Err(TransportError::Refused(_) | TransportError::NotConnected(_))
    ));
    publish(&server, "e1").await;
}

#[tokio::test]
async fn a_half_open_connection_is_noticed_and_left_behind() {
    let (broker, mut settings) = shared().await;
    let world = World::new();
    let server = world.server(&settings).await;
    let proxy = FaultProxy::start(broker.address()).await;
    settings.addresses = vec![proxy.address().to_string().parse().expect("an address")];
    settings.heartbeat = Duration::from_secs(1);
    settings.connect_deadline = Duration::from_millis(500);
    let mut agent = world.agent(&settings, "orders").await;
    let before = queues(broker, &settings, "orders").await;

    proxy.set(Weather::Frozen);
    lost(&mut agent).await;
    until(
        &mut agent.state.clone(),
        |state| matches!(state, LinkState::Waiting { reason, .. } if reason.contains("in time")),
    )
    .await;
    proxy.set(Weather::Fair);
    connected(&mut agent).await;
    publish(&server, "e1").await;
    assert_eq!(received(&mut agent).await, "e1");
    assert!(
        !queues(broker, &settings, "orders")
            .await
            .iter()
            .any(|name| *name == before[0])
    );
}

#[tokio::test]
async fn a_slow_network_changes_nothing() {
    let (broker, mut settings) = shared().await;
    let world = World::new();
    let server = world.server(&settings).await;
    let proxy = FaultProxy::start(broker.address()).await;
    proxy.set(Weather::Delayed(Duration::from_millis(20)));
    settings.addresses = vec![proxy.address().to_string().parse().expect("an address")];
    let mut agent = world.agent(&settings, "orders").await;
    assert_eq!(
        server.transport.publish(&refresh("e1", "**")).await,
        Ok(Receipt { heard: true })
    );
    assert_eq!(received(&mut agent).await, "e1");
    proxy.cut();
    lost(&mut agent).await;
    connected(&mut agent).await;
}

#[tokio::test]
async fn when_one_node_is_gone_the_next_address_is_taken() {
    let (broker, mut settings) = shared().await;
    let world = World::new();
    let (first, second) = (
        FaultProxy::start(broker.address()).await,
        FaultProxy::start(broker.address()).await,
    );
    let address = |proxy: &FaultProxy| proxy.address().to_string().parse().expect("an address");
    settings.addresses = vec![address(&first), address(&second)];
    let server = world.server(&settings).await;
    let mut agent = world.agent(&settings, "orders").await;
    assert_eq!(second.accepted(), 0);

    drop(first);
    lost(&mut agent).await;
    connected(&mut agent).await;
    publish(&server, "e1").await;
    assert_eq!(received(&mut agent).await, "e1");
    assert!(second.accepted() > 0);
}

#[tokio::test]
async fn attempts_against_a_silent_peer_leave_nothing_behind() {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound port").to_string();
    let credentials = Credentials {
        username: "guest".to_owned(),
        password: Secret::new("guest"),
    };
    let mut settings = AmqpSettings::new(vec![address.parse().expect("an address")], credentials);
    settings.patience = hasty();
    settings.connect_deadline = Duration::from_millis(50);
    let _agent = world.follow(&settings, "orders");

    for _ in 0..3 {
        let (mut attempt, _) = timeout(DEADLINE, listener.accept())
            .await
            .expect("an attempt")
            .expect("a connection");
        let mut said = Vec::new();
        let ended = timeout(DEADLINE, attempt.read_to_end(&mut said)).await;
        ended.expect("the attempt is given up").expect("in good order");
        assert!(said.starts_with(b"AMQP"));
    }
}
