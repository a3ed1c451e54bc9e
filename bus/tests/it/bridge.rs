//! Events, reports and acks between servers, agents and Spring applications.

use bus::{Inbound, LinkState, Receipt, Signal, TransportError};
use contract::{Affects, EventKind, Notice, Scope};
use futures_util::StreamExt;
use lapin::BasicProperties;
use test_support::eventually;
use tokio::time::timeout;

use crate::harness::{
    DEADLINE, SPRING, Stranger, World, delivery, inbound, quiet, received, refresh, report, shared, signal, subscriber,
};

fn notice(affects: Affects) -> Notice {
    Notice {
        label: "main".parse().expect("a label"),
        from: Some("a".repeat(40).parse().expect("a commit")),
        to: "b".repeat(40).parse().expect("a commit"),
        affects,
        spread_millis: 250,
        report_spread_millis: 0,
        moved: Some("abc-7".parse().expect("a move")),
    }
}

fn json() -> BasicProperties {
    BasicProperties::default().with_content_type("application/json".into())
}

#[tokio::test]
async fn an_event_of_the_server_reaches_agents_and_spring_in_one_copy_each() {
    let (broker, settings) = shared().await;
    let world = World::new();
    let server = world.server(&settings).await;
    let spring = Stranger::join(broker.address(), &settings.virtual_host).await;
    let mut topic = spring.listen(&[SPRING]).await;
    let mut both = spring.listen(&[SPRING, &settings.exchange]).await;
    let mut agent = world.agent(&settings, "orders").await;

    let mut message = refresh("e1", "orders:**");
    message.notice = Some(notice(Affects::union([Scope::new(Some("orders"), None)])));
    assert_eq!(server.transport.publish(&message).await, Ok(Receipt { heard: true }));

    match signal(&mut agent).await {
        Signal::Received(heard) => assert_eq!(heard, message),
        other => panic!("no event: {other:?}"),
    }
    for queue in [&mut topic, &mut both] {
        assert_eq!(delivery(queue).await.data, message.event.to_json());
        quiet(queue.next()).await;
    }
    quiet(agent.signals.recv()).await;
}

#[tokio::test]
async fn an_event_carries_the_properties_spring_and_operators_look_at() {
    let (broker, settings) = shared().await;
    let world = World::new();
    let server = world.server(&settings).await;
    let spring = Stranger::join(broker.address(), &settings.virtual_host).await;
    let mut topic = spring.listen(&[SPRING]).await;
    server.transport.publish(&refresh("e1", "**")).await.expect("taken");

    let heard = delivery(&mut topic).await;
    assert_eq!(heard.exchange.as_str(), "config-bus");
    assert_eq!(heard.routing_key.as_str(), SPRING);
    let expected = json()
        .with_delivery_mode(2)
        .with_message_id("e1".into())
        .with_timestamp(1_795_374_753)
        .with_user_id("guest".into());
    assert_eq!(
        heard.properties.with_headers(Default::default()),
        expected.with_headers(Default::default())
    );
}

#[tokio::test]
async fn an_event_of_spring_reaches_agents_and_servers_in_one_copy_and_acks_only_servers() {
    let (broker, settings) = shared().await;
    let world = World::new();
    let mut server = world.server(&settings).await;
    let mut agent = world.agent(&settings, "orders").await;
    assert!(matches!(inbound(&mut server).await, Inbound::Connected));

    let spring = Stranger::join(broker.address(), &settings.virtual_host).await;
    let ack = br#"{"type":"AckRemoteApplicationEvent","originService":"stock:1:a","destinationService":"**","id":"a1","ackId":"e0","ackDestinationService":"**","event":"org.springframework.cloud.bus.event.RefreshRemoteApplicationEvent"}"#;
    spring.say(ack, json()).await;
    let body = br#"{"type":"RefreshRemoteApplicationEvent","timestamp":1,"originService":"stock:1:a","destinationService":"**","id":"e1"}"#;
    spring.say(body, json()).await;

    assert_eq!(received(&mut agent).await, "e1");
    quiet(agent.signals.recv()).await;
    match inbound(&mut server).await {
        Inbound::Event(message) => {
            assert!(matches!(message.event.kind, EventKind::Ack { acked: Some(id), .. } if id.as_str() == "e0"))
        }
        other => panic!("no ack: {other:?}"),
    }
    match inbound(&mut server).await {
        Inbound::Event(message) => assert_eq!(message.event.id.as_str(), "e1"),
        other => panic!("no event: {other:?}"),
    }
    quiet(server.inbound.recv()).await;
    assert_eq!(agent.traffic.counts().elsewhere, 1);
}

#[tokio::test]
async fn without_the_bridge_spring_hears_nothing() {
    let (broker, mut settings) = shared().await;
    settings.spring_bridge = false;
    let world = World::new();
    let server = world.server(&settings).await;
    let spring = Stranger::join(broker.address(), &settings.virtual_host).await;
    spring.declare(SPRING, lapin::ExchangeKind::Topic).await;
    let mut topic = spring.listen(&[SPRING]).await;
    let mut agent = world.agent(&settings, "orders").await;
    server.transport.publish(&refresh("e1", "**")).await.expect("taken");
    assert_eq!(received(&mut agent).await, "e1");
    quiet(topic.next()).await;
}

#[tokio::test]
async fn an_agent_hears_only_what_is_meant_for_it_and_counts_the_rest() {
    let (_, settings) = shared().await;
    let world = World::new();
    let server = world.server(&settings).await;
    let mut agent = world.agent(&settings, "orders").await;

    let mut elsewhere = refresh("e1", "**");
    elsewhere.notice = Some(notice(Affects::union([Scope::new(Some("stock"), None)])));
    let mut own = refresh("e2", "**");
    own.event.origin = subscriber("orders").bus_id.to_string();
    for message in [elsewhere, own, refresh("e3", "stock:**"), refresh("e4", "orders:eu:**")] {
        server.transport.publish(&message).await.expect("taken");
    }
    assert_eq!(received(&mut agent).await, "e4");
    let counts = agent.traffic.counts();
    assert_eq!((counts.delivered, counts.elsewhere, counts.out_of_scope), (1, 2, 1));
}

#[tokio::test]
async fn what_is_no_event_is_counted_dropped_and_never_comes_again() {
    let (broker, settings) = shared().await;
    let world = World::new();
    let mut server = world.server(&settings).await;
    let mut agent = world.agent(&settings, "orders").await;
    assert!(matches!(inbound(&mut server).await, Inbound::Connected));
    let spring = Stranger::join(broker.address(), &settings.virtual_host).await;
    let huge = vec![b'x'; 1 << 20];
    let malformed: [&[u8]; 5] = [
        b"",
        b"no json",
        b"[1, 2]",
        br#"{"type":"RefreshRemoteApplicationEvent"}"#,
        &huge,
    ];
    for body in malformed {
        spring.say(body, json()).await;
    }
    let unknown = br#"{"type":"OrderPlacedEvent","originService":"stock:1:a","destinationService":"**","id":"u1"}"#;
    spring.say(unknown, json()).await;
    let body =
        br#"{"type":"RefreshRemoteApplicationEvent","originService":"stock:1:a","destinationService":"**","id":"e1"}"#;
    spring.say(body, json()).await;

    for _ in malformed {
        assert!(matches!(signal(&mut agent).await, Signal::Rejected(_)));
    }
    assert_eq!(received(&mut agent).await, "e1");
    assert!(matches!(inbound(&mut server).await, Inbound::Event(message) if message.event.id.as_str() == "e1"));
    for counts in [agent.traffic.counts(), server.traffic.counts()] {
        assert_eq!((counts.malformed, counts.unknown, counts.delivered), (5, 1, 1));
    }
    eventually("the queues are empty", DEADLINE, async || {
        let host = settings.virtual_host.as_str();
        let listed = broker
            .ctl(&["list_queues", "--quiet", "--no-table-headers", "-p", host, "messages"])
            .await;
        listed.lines().all(|line| line.trim() == "0").then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_environment_change_of_spring_reaches_agents_and_servers() {
    let (broker, settings) = shared().await;
    let world = World::new();
    let mut server = world.server(&settings).await;
    let mut agent = world.agent(&settings, "orders").await;
    assert!(matches!(inbound(&mut server).await, Inbound::Connected));
    let spring = Stranger::join(broker.address(), &settings.virtual_host).await;
    let body = br#"{"type":"EnvironmentChangeRemoteApplicationEvent","originService":"stock:1:a","destinationService":"orders:**","id":"c1","values":{"feature.x":"on"}}"#;
    spring.say(body, json()).await;
    let is_change = |kind: &EventKind| matches!(kind, EventKind::EnvironmentChange(values) if values.len() == 1);
    assert!(matches!(signal(&mut agent).await, Signal::Received(message) if is_change(&message.event.kind)));
    assert!(matches!(inbound(&mut server).await, Inbound::Event(message) if is_change(&message.event.kind)));
}

#[tokio::test]
async fn a_report_reaches_every_server_and_no_agent() {
    let (_, settings) = shared().await;
    let world = World::new();
    let (mut one, mut two) = (world.server(&settings).await, world.server(&settings).await);
    let mut other = world.agent(&settings, "stock").await;
    let agent = world.agent(&settings, "orders").await;
    agent.reports.report(&report("orders")).await.expect("taken");
    for server in [&mut one, &mut two] {
        assert!(matches!(inbound(server).await, Inbound::Connected));
        match inbound(server).await {
            Inbound::Report(told) => assert_eq!(told, report("orders")),
            other => panic!("no report: {other:?}"),
        }
    }
    quiet(other.signals.recv()).await;
}

#[tokio::test]
async fn what_comes_thick_and_fast_is_heard_in_order_and_left_with_nothing_owed() {
    const MANY: usize = 1_000;
    let (broker, settings) = shared().await;
    let world = World::new();
    let server = world.server(&settings).await;
    let mut agent = world.agent(&settings, "orders").await;
    let publish = async {
        for n in 0..MANY {
            let taken = server.transport.publish(&refresh(&n.to_string(), "**")).await;
            assert_eq!(taken, Ok(Receipt { heard: true }));
        }
    };
    // Anything but an event, such as a lost connection, is no id.
    let hear = async {
        for n in 0..MANY {
            assert_eq!(received(&mut agent).await, n.to_string());
        }
    };
    tokio::join!(publish, hear);
    eventually("nothing is owed", DEADLINE, async || {
        let listed = [
            "list_queues",
            "--quiet",
            "--no-table-headers",
            "-p",
            &settings.virtual_host,
        ];
        let owed = broker.ctl(&[&listed[..], &["messages_unacknowledged"]].concat()).await;
        owed.lines().all(|owed| owed == "0").then_some(())
    })
    .await;
    assert!(agent.state.borrow().is_connected());
}

#[tokio::test]
async fn an_event_nobody_can_hear_is_taken_and_told_so() {
    let (_, settings) = shared().await;
    let world = World::new();
    let server = world.server(&settings).await;
    let (transport, mut hearing) = (server.transport, server.hearing);
    drop(server.inbound);
    // The server's own queue goes with its hearing connection.
    while hearing.changed().await.is_ok() {}
    eventually("the queue is gone", DEADLINE, async || {
        (transport.publish(&refresh("e1", "**")).await == Ok(Receipt { heard: false })).then_some(())
    })
    .await;
}

#[tokio::test]
async fn dropping_the_link_or_stopping_ends_every_task() {
    let (_, settings) = shared().await;
    let world = World::new();
    let server = world.server(&settings).await;

    let dropping = World::new();
    drop(dropping.agent(&settings, "orders").await);
    dropping.tracker.close();
    let ended = timeout(DEADLINE, dropping.tracker.wait());
    ended.await.expect("the agent's task ends");

    let agent = world.agent(&settings, "orders").await;
    world.stop.cancel();
    world.tracker.close();
    let ended = timeout(DEADLINE, world.tracker.wait());
    ended.await.expect("all tasks end");
    assert_eq!(*agent.state.borrow(), LinkState::Stopped);
    assert!(matches!(
        server.transport.publish(&refresh("e1", "**")).await,
        Err(TransportError::NotConnected(_))
    ));
}
