//! One change through the whole flow, on both buses.

use client_sdk::{Bus, LiveSource};
use tempfile::TempDir;
use test_support::{Broker, eventually};

use crate::harness::{DEADLINE, Server, Shop, becomes, client, greet, serve, shop, shop_repository};

#[tokio::test]
async fn a_commit_becomes_a_typed_value_over_the_embedded_bus() {
    let repository = shop_repository();
    let server = serve(&repository, &[]).await;
    let shop = shop(&server.url(), Bus::Embedded).await;
    assert_eq!(shop.get().greeting, "hello");
    greet(&repository, "over SSE");
    becomes(&shop, "over SSE").await;
}

#[tokio::test]
async fn a_commit_becomes_a_typed_value_over_rabbitmq() {
    let repository = shop_repository();
    let (settings, address) = Server::over(Broker::shared().await).await;
    let server = serve(&repository, &settings).await;
    let shop = shop(&server.url(), Bus::Amqp(address)).await;
    greet(&repository, "over AMQP");
    becomes(&shop, "over AMQP").await;
}

#[tokio::test]
async fn an_agent_outside_the_scope_of_a_commit_makes_no_request() {
    let repository = shop_repository();
    let server = serve(&repository, &[]).await;
    let shop = shop(&server.url(), Bus::Embedded).await;
    let other = client(&server.url(), "other")
        .fail_fast(true)
        .build()
        .await
        .expect("a client");
    eventually("the other hears", DEADLINE, async || {
        other.state().connected.then_some(())
    })
    .await;
    let before = other.state().fetches_total;
    for round in 0..3 {
        let greeting = format!("round {round}");
        greet(&repository, &greeting);
        becomes(&shop, &greeting).await;
    }
    assert_eq!(other.state().fetches_total, before);
    // It was not deaf: what concerns it does arrive.
    let commit = repository
        .commit_file("other.yml", "greeting: changed\n")
        .expect("a commit");
    let has_it = || other.state().live.and_then(|live| live.revision.commit());
    eventually("the other follows", DEADLINE, async || {
        (has_it()?.as_str() == commit).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_start_without_the_server_uses_the_last_known_good() {
    let repository = shop_repository();
    let memory = TempDir::new().expect("a directory");
    let mut server = serve(&repository, &[]).await;
    let url = server.url();
    let remembering = || client(&url, "shop").last_known_good(memory.path());
    let first = remembering().fail_fast(true).build().await.expect("a client");
    first.close().await;
    let again = remembering().start_timeout(std::time::Duration::from_secs(1));
    server.kill();
    let second = again.build().await.expect("a start from memory");
    assert_eq!(second.bind::<Shop>("").expect("a value").greeting, "hello");
    let live = second.state().live.expect("something live");
    assert!(matches!(live.source, LiveSource::LastKnownGood), "{live:?}");
    greet(&repository, "back again");
    server.restart().await.expect("a start");
    let shop = second.watch::<Shop>("").expect("a typed value");
    becomes(&shop, "back again").await;
}

#[tokio::test]
async fn a_refresh_reports_who_runs_what() {
    let repository = shop_repository();
    let server = serve(&repository, &[]).await;
    let shop = shop(&server.url(), Bus::Embedded).await;
    let commit = greet(&repository, "reported");
    let report = server.refresh().await.expect("a report");
    becomes(&shop, "reported").await;
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(report.agents.len(), 1, "{report:?}");
    assert_eq!(
        report.agents[0].commit.as_ref().map(contract::CommitId::as_str),
        Some(commit.as_str())
    );
    assert!(report.agents[0].millis.is_some());
}

#[tokio::test]
async fn a_commit_that_does_not_parse_changes_nothing_and_says_so() {
    let repository = shop_repository();
    let server = serve(&repository, &[]).await;
    let shop = shop(&server.url(), Bus::Embedded).await;
    let broken = repository.commit_file("shop.yml", "greeting: [\n").expect("a commit");
    let held = eventually("the answer names what is held back", DEADLINE, async || {
        let answer = reqwest::get(format!("{}/shop/dev", server.url())).await.ok()?;
        let held = answer.headers().get(contract::headers::HELD)?.to_str().ok()?.to_owned();
        Some((held, answer.text().await.ok()?))
    })
    .await;
    assert_eq!(held.0, broken);
    assert!(held.1.contains("hello"), "{}", held.1);
    assert_eq!(shop.get().greeting, "hello");
    greet(&repository, "mended");
    becomes(&shop, "mended").await;
}
