//! The flow with something broken in the middle of it.

use std::time::Duration;

use bus::amqp;
use bus::{Signal, Subscriber};
use client_sdk::Bus;
use contract::BusId;
use test_support::{Broker, eventually};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::harness::{DEADLINE, Server, becomes, client, greet, serve, shop, shop_repository};

fn listener() -> Subscriber {
    Subscriber {
        bus_id: "listener:1:a".parse::<BusId>().expect("an id"),
        applications: vec!["shop".parse().expect("a name")],
        profiles: vec!["dev".parse().expect("a profile")],
        label: None,
    }
}

#[tokio::test]
async fn an_event_survives_the_death_of_the_server_between_swap_and_publish() {
    let repository = shop_repository();
    let broker = Broker::launch().await;
    let (settings, address) = Server::over(&broker).await;
    let mut server = serve(&repository, &settings).await;
    broker.stop().await;
    let commit = greet(&repository, "swapped, not published");
    server.serves(&commit).await.expect("served");
    server.kill();
    broker.start().await;
    let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
    let Ok(bus_agent::Bus::Amqp(settings)) = bus_agent::Bus::amqp(&address) else {
        panic!("{address} is the address of a broker");
    };
    let mut link = amqp::follow(*settings, listener(), &tracker, stop.clone());
    // What is published before its queue is bound is not this listener's to hear.
    let connected = link.state.wait_for(bus::LinkState::is_connected);
    timeout(DEADLINE, connected)
        .await
        .expect("in time")
        .expect("a connection");
    let arrived = async {
        while let Some(signal) = link.signals.recv().await {
            if let Signal::Received(message) = signal {
                return message.notice.map(|notice| notice.to.to_string());
            }
        }
        None
    };
    server.restart().await.expect("a start");
    let named = timeout(DEADLINE, arrived).await.expect("the event arrives");
    assert_eq!(named.as_deref(), Some(commit.as_str()));
    stop.cancel();
}

#[tokio::test]
async fn agents_converge_after_the_broker_was_restarted() {
    let repository = shop_repository();
    let broker = Broker::launch().await;
    let (settings, address) = Server::over(&broker).await;
    let server = serve(&repository, &settings).await;
    let shop = shop(&server.url(), Bus::Amqp(address)).await;
    broker.stop().await;
    eventually("the service notices", DEADLINE, async || {
        (!shop.client().state().connected).then_some(())
    })
    .await;
    let commit = greet(&repository, "while the broker was away");
    server.serves(&commit).await.expect("served");
    broker.start().await;
    becomes(&shop, "while the broker was away").await;
    eventually("the service hears again", DEADLINE, async || {
        shop.client().state().connected.then_some(())
    })
    .await;
    greet(&repository, "after it came back");
    becomes(&shop, "after it came back").await;
}

#[tokio::test]
async fn a_commit_arrives_through_the_server_while_the_broker_is_away() {
    let repository = shop_repository();
    let broker = Broker::launch().await;
    let (settings, address) = Server::over(&broker).await;
    let server = serve(&repository, &settings).await;
    let shop = shop(&server.url(), Bus::Amqp(address)).await;
    broker.stop().await;
    eventually("the service notices", DEADLINE, async || {
        (!shop.client().state().connected).then_some(())
    })
    .await;
    eventually("the service listens to the server", DEADLINE, async || {
        shop.client().state().connected.then_some(())
    })
    .await;
    greet(&repository, "without a broker");
    becomes(&shop, "without a broker").await;
}

#[tokio::test]
async fn a_server_that_starts_last_still_learns_who_runs_what() {
    let repository = shop_repository();
    let broker = Broker::launch().await;
    let (settings, address) = Server::over(&broker).await;
    let mut server = serve(&repository, &settings).await;
    let (memory, url) = (tempfile::tempdir().expect("a directory"), server.url());
    let remembering = || {
        client(&url, "shop")
            .bus(Bus::Amqp(address.clone()))
            .last_known_good(memory.path())
    };
    let first = remembering().build().await.expect("a client");
    server.knows_agents(1).await.expect("an agent");
    first.close().await;
    let again = remembering().start_timeout(Duration::from_secs(1));
    server.kill();
    server.forget().expect("forgotten");
    let second = again.build().await.expect("a start from memory");
    eventually("the client hears", DEADLINE, async || {
        second.state().connected.then_some(())
    })
    .await;
    server.restart().await.expect("a start");
    server.knows_agents(1).await.expect("an agent");
}

#[tokio::test]
async fn agents_converge_after_the_server_was_killed_and_came_back() {
    let repository = shop_repository();
    let mut server = serve(&repository, &[]).await;
    let shop = shop(&server.url(), Bus::Embedded).await;
    server.kill();
    greet(&repository, "while the server was away");
    server.restart().await.expect("a start");
    becomes(&shop, "while the server was away").await;
}

#[tokio::test]
async fn a_port_in_use_is_named_and_ends_the_server() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("its address").port();
    let repository = shop_repository();
    let files = tempfile::TempDir::new().expect("a directory");
    let output = tokio::process::Command::new(examples::stage::program::program("config-server").expect("a program"))
        .arg(format!("--repo={}", repository.uri()))
        .arg(format!("--port={port}"))
        .arg(format!("--data-dir={}", files.path().display()))
        .arg("--server.address=127.0.0.1")
        .output();
    let output = timeout(Duration::from_secs(30), output)
        .await
        .expect("it ends")
        .expect("an end");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(said.contains(&port.to_string()) && said.contains("in use"), "{said}");
}
