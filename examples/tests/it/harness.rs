//! What the end-to-end tests share: a typed service, and the repository it reads.

use std::time::Duration;

use client_sdk::{Bus, ConfigClient, ConfigClientBuilder, Watch};
use contract::{DeliveryReport, RefreshReceipt};
use serde::Deserialize;
use test_support::{GitFixture, eventually};

pub(crate) use examples::stage::{DEADLINE, Server};

/// What the service of these tests binds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Shop {
    pub(crate) greeting: String,
}

/// A server of `repository`.
pub(crate) async fn serve(repository: &GitFixture, settings: &[String]) -> Server {
    Server::start(&repository.uri(), settings).await.expect("a server")
}

/// A repository with one application, `shop`, and one it does not share a file with, `other`.
pub(crate) fn shop_repository() -> GitFixture {
    let repository = GitFixture::new().expect("git");
    repository.write_file("shop.yml", "greeting: hello\n").expect("a file");
    repository.write_file("other.yml", "greeting: other\n").expect("a file");
    repository.commit("first").expect("a commit");
    repository
}

pub(crate) fn greet(repository: &GitFixture, greeting: &str) -> String {
    let content = format!("greeting: {greeting}\n");
    repository.commit_file("shop.yml", content).expect("a commit")
}

/// A client of `application` that only ever hears: its timer is out of the test's reach.
pub(crate) fn client(server: &str, application: &str) -> ConfigClientBuilder {
    ConfigClient::builder()
        .server(server)
        .application(application)
        .profiles(["dev"])
        .interval(Duration::from_secs(3600))
}

/// A service that follows `shop`.
pub(crate) async fn shop(server: &str, bus: Bus) -> Watch<Shop> {
    let client = client(server, "shop").bus(bus).fail_fast(true).build().await;
    let shop = client.expect("a client").watch::<Shop>("").expect("a typed value");
    eventually("the service hears", DEADLINE, async || {
        shop.client().state().connected.then_some(())
    })
    .await;
    shop
}

pub(crate) async fn becomes(shop: &Watch<Shop>, greeting: &str) {
    eventually(greeting, DEADLINE, async || {
        (shop.get().greeting == greeting).then_some(())
    })
    .await;
}

/// Makes the server look at its remote, and tell everybody.
pub(crate) async fn look(server: &Server) -> RefreshReceipt {
    let url = format!("{}/bus/refresh", server.url());
    let answer = reqwest::Client::new().post(url).send().await.expect("an answer");
    assert_eq!(answer.status(), 202);
    answer.json().await.expect("a receipt")
}

/// How it went so far.
pub(crate) async fn report(server: &Server, receipt: &RefreshReceipt) -> Option<DeliveryReport> {
    server.get(&receipt.report).await.ok()?.json().await.ok()
}
