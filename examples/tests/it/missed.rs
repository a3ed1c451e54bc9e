//! A call of an operator that an agent could not hear, for it was cut off.

use std::net::SocketAddr;

use client_sdk::{Bus, Watch};
use contract::Outcome;
use contract::delivery::EventState;
use test_support::{Broker, FaultProxy, Weather, eventually};

use crate::harness::{DEADLINE, Server, Shop, look, report, serve, shop, shop_repository};

#[tokio::test]
async fn an_agent_that_was_cut_off_from_the_embedded_bus_answers_the_call_it_missed() {
    let repository = shop_repository();
    let server = serve(&repository, &[]).await;
    let line = FaultProxy::start(SocketAddr::from(([127, 0, 0, 1], server.port()))).await;
    let shop = shop(&format!("http://{}", line.address()), Bus::Embedded).await;
    answers_what_it_missed(&server, &line, &shop).await;
}

#[tokio::test]
async fn an_agent_that_was_cut_off_from_rabbitmq_answers_the_call_it_missed() {
    let repository = shop_repository();
    let broker = Broker::shared().await;
    let (settings, address) = Server::over(broker).await;
    let server = serve(&repository, &settings).await;
    let line = FaultProxy::start(broker.address()).await;
    let through = address.replace(&broker.address().to_string(), &line.address().to_string());
    let shop = shop(&server.url(), Bus::Amqp(through)).await;
    answers_what_it_missed(&server, &line, &shop).await;
}

async fn answers_what_it_missed(server: &Server, line: &FaultProxy, shop: &Watch<Shop>) {
    server.knows_agents(1).await.expect("an agent");
    line.set(Weather::Closed);
    line.cut();
    hears(shop, false).await;
    let receipt = look(server).await;
    assert_eq!((receipt.state, &receipt.previous), (EventState::Published, &None));
    let before = report(server, &receipt).await.expect("a report");
    assert_eq!(before.summary.silent, 1, "{before:?}");

    line.set(Weather::Fair);
    hears(shop, true).await;
    let after = eventually("the agent has answered", DEADLINE, async || {
        let report = report(server, &receipt).await?;
        (report.agents[0].outcome == Some(Outcome::Unchanged)).then_some(report)
    })
    .await;
    assert_eq!(after.agents[0].commit, receipt.commit, "{after:?}");
    assert!(after.is_complete(), "{after:?}");
}

async fn hears(shop: &Watch<Shop>, wanted: bool) {
    eventually("the service hears, or does not", DEADLINE, async || {
        (shop.client().state().connected == wanted).then_some(())
    })
    .await;
}
