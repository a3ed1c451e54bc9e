//! What a person must mend is told as such, and the least rights suffice.

use bus::amqp::AmqpSettings;
use bus::{Credentials, Inbound, LinkState, Secret, TransportError};
use lapin::ExchangeKind;
use test_support::{Broker, Rights};

use crate::harness::{SPRING, Stranger, World, connected, inbound, received, refresh, report, shared, until};

fn reason(state: &LinkState) -> Option<&str> {
    match state {
        LinkState::Misconfigured { reason, .. } => Some(reason),
        _ => None,
    }
}

#[tokio::test]
async fn an_exchange_of_another_type_is_named_with_both_types_and_heals() {
    for (name, there, needed) in [
        ("config-bus", ExchangeKind::Topic, "fanout"),
        (SPRING, ExchangeKind::Fanout, "topic"),
    ] {
        let (broker, settings) = shared().await;
        let stranger = Stranger::join(broker.address(), &settings.virtual_host).await;
        stranger.declare(name, there.clone()).await;
        let world = World::new();
        let server = world.serve(&settings);
        let mut state = server.transport.state();
        let state_now = until(&mut state, |state| reason(state).is_some()).await;
        let told = reason(&state_now).expect("a reason");
        assert!(
            told.contains(name) && told.contains("topic") && told.contains("fanout"),
            "{told}"
        );
        assert!(told.contains(&format!("`{needed}` is needed")), "{told}");

        stranger
            .channel
            .exchange_delete(name.into(), Default::default())
            .await
            .expect("deleted");
        until(&mut state, LinkState::is_connected).await;
    }
}

/// What the page for operators says: `rabbitmqctl set_permissions -p / <user> '..' '..' '..'`.
fn documented(user: &str) -> [&'static str; 3] {
    let page = include_str!("../../../docs/bus.md");
    let command = format!("rabbitmqctl set_permissions -p / {user} ");
    let patterns = page.lines().find_map(|line| line.strip_prefix(&command));
    let quoted: Vec<&str> = patterns.expect("a documented command").split('\'').collect();
    [quoted[1], quoted[3], quoted[5]]
}

/// Becomes a user of this name with the documented rights.
async fn become_user(user: &str, broker: &Broker, settings: &mut AmqpSettings) {
    let none = Rights {
        configure: "^$",
        write: "^$",
        read: "^$",
    };
    let name = format!("{user}-{}", settings.virtual_host);
    broker.add_user(&name, "secret", &settings.virtual_host, none).await;
    let [configure, write, read] = documented(user);
    let set = [
        "set_permissions",
        "-p",
        &settings.virtual_host,
        &name,
        configure,
        write,
        read,
    ];
    broker.ctl(&set).await;
    settings.credentials = Credentials {
        username: name,
        password: Secret::new("secret"),
    };
}

#[tokio::test]
async fn a_server_needs_no_more_than_the_documented_rights() {
    let (broker, mut settings) = shared().await;
    become_user("config-server", broker, &mut settings).await;
    let world = World::new();
    let mut server = world.server(&settings).await;
    let mut agent = world.agent(&settings, "orders").await;
    server.transport.publish(&refresh("e1", "**")).await.expect("taken");
    assert_eq!(received(&mut agent).await, "e1");
    agent.reports.report(&report("orders")).await.expect("taken");
    while !matches!(inbound(&mut server).await, Inbound::Report(_)) {}
}

#[tokio::test]
async fn an_agent_needs_no_more_than_the_documented_rights() {
    let (broker, mut settings) = shared().await;
    let world = World::new();
    let mut server = world.server(&settings).await;
    become_user("orders", broker, &mut settings).await;
    let mut agent = world.agent(&settings, "orders").await;
    server.transport.publish(&refresh("e1", "**")).await.expect("taken");
    assert_eq!(received(&mut agent).await, "e1");
    agent.reports.report(&report("orders")).await.expect("taken");
    while !matches!(inbound(&mut server).await, Inbound::Report(_)) {}

    let other = world.follow(&settings, "stock");
    let refused = until(&mut other.state.clone(), |state| reason(state).is_some()).await;
    assert!(
        reason(&refused).expect("a reason").contains("ACCESS_REFUSED"),
        "{refused:?}"
    );
}

#[tokio::test]
async fn an_agent_that_must_not_report_still_hears() {
    let (broker, mut settings) = shared().await;
    let world = World::new();
    let server = world.server(&settings).await;
    let rights = Rights {
        configure: r"^config-bus\.orders\..*",
        write: r"^config-bus\.orders\..*",
        read: r"^config-bus(\.orders\..*)?$",
    };
    broker.add_user("mute", "secret", &settings.virtual_host, rights).await;
    settings.credentials = Credentials {
        username: "mute".to_owned(),
        password: Secret::new("secret"),
    };
    let mut agent = world.agent(&settings, "orders").await;
    for _ in 0..2 {
        let refused = agent.reports.report(&report("orders")).await;
        assert!(matches!(refused, Err(TransportError::Refused(_))), "{refused:?}");
    }
    server.transport.publish(&refresh("e1", "**")).await.expect("taken");
    assert_eq!(received(&mut agent).await, "e1");
    assert!(agent.state.borrow().is_connected());
}

#[tokio::test]
async fn a_wrong_password_is_told_without_it() {
    let (_, mut settings) = shared().await;
    settings.credentials.password = Secret::new("hunter2");
    let world = World::new();
    let agent = world.follow(&settings, "orders");
    let refused = until(&mut agent.state.clone(), |state| reason(state).is_some()).await;
    assert!(!format!("{refused:?}").contains("hunter2"));
}

#[tokio::test]
async fn the_first_address_that_answers_is_taken() {
    let (_, mut settings) = shared().await;
    let world = World::new();
    let _server = world.server(&settings).await;
    settings.addresses.insert(0, "127.0.0.1:1".parse().expect("an address"));
    let mut agent = world.follow(&settings, "orders");
    connected(&mut agent).await;
}

#[tokio::test]
async fn an_agent_waits_for_the_server_to_declare_the_exchange() {
    let (_, settings) = shared().await;
    let world = World::new();
    let mut agent = world.follow(&settings, "orders");
    until(
        &mut agent.state.clone(),
        |state| matches!(state, LinkState::Waiting { reason, .. } if reason.contains("NOT_FOUND")),
    )
    .await;
    let _server = world.server(&settings).await;
    connected(&mut agent).await;
}
