use std::time::Duration;

use bus_agent::testing::{Fault, Origin};
use client_sdk::{Bus, ConfigClient, ErrorKind, LiveSource, Watch};
use serde_json::json;

use super::{Pool, builder, until};

#[tokio::test]
async fn without_a_server_the_last_known_good_is_bound_and_the_server_wins_once_it_is_back() {
    let origin = Origin::serving(json!({"db.max-pool-size": 5})).await;
    let directory = tempfile::tempdir().expect("a directory");
    let first = builder(&origin)
        .last_known_good(directory.path())
        .build()
        .await
        .expect("a client");
    first.close().await;
    drop(first);

    origin.broken(Some(Fault::Status(500, vec![], String::new())));
    let second = builder(&origin)
        .last_known_good(directory.path())
        .build()
        .await
        .expect("a client");
    let mut pool: Watch<Pool> = second.watch("db").expect("it fits");
    assert_eq!(pool.get().max_pool_size, 5);
    let live = second.state().live.expect("something is live");
    assert_eq!(live.source, LiveSource::LastKnownGood);

    origin.broken(None);
    origin.commit(json!({"db.max-pool-size": 6}));
    second.refresh();
    pool.changed().await.expect("open");
    assert_eq!(pool.get().max_pool_size, 6);
}

#[tokio::test]
async fn failing_fast_says_what_kind_of_failure_it_was() {
    let origin = Origin::serving(json!({})).await;
    for (status, expected, retryable) in [
        (401, ErrorKind::Forbidden, false),
        (404, ErrorKind::NotFound, false),
        (500, ErrorKind::Server, true),
    ] {
        origin.broken(Some(Fault::Status(status, vec![], String::new())));
        let built = builder(&origin)
            .fail_fast(true)
            .start_timeout(Duration::from_millis(100))
            .build()
            .await;
        let error = built.map(|_| ()).expect_err("no configuration");
        assert_eq!((error.kind(), error.is_retryable()), (expected, retryable), "{status}");
    }
}

#[tokio::test]
async fn settings_that_do_not_fit_are_named_before_anything_is_asked() {
    let origin = Origin::serving(json!({})).await;
    let builders = [
        ConfigClient::builder().server(origin.url()),
        ConfigClient::builder().application("orders"),
        builder(&origin).profiles(["not a profile"]),
        builder(&origin).label("../x"),
        builder(&origin).bus(Bus::Amqp("http://s3cret@broker".to_owned())),
        builder(&origin).trust("no certificate"),
        ConfigClient::builder().server("s3cret").application("orders"),
    ];
    for (at, builder) in builders.into_iter().enumerate() {
        let error = builder.build().await.map(|_| ()).expect_err("does not fit");
        assert_eq!(error.kind(), ErrorKind::Settings, "{at}");
        assert!(!format!("{error:?}").contains("s3cret"), "{at}: {error:?}");
    }
    assert!(origin.asked().is_empty());
}

#[tokio::test]
async fn without_server_and_memory_a_client_starts_from_defaults_and_catches_up() {
    let origin = Origin::serving(json!({"db.max-pool-size": 5})).await;
    origin.broken(Some(Fault::Hang));
    let client = builder(&origin)
        .start_timeout(Duration::from_millis(100))
        .build()
        .await
        .expect("a client");
    let mut size: Watch<Option<u16>> = client.watch("db.max-pool-size").expect("it fits");
    assert_eq!(*size.get(), None);
    origin.broken(None);
    client.refresh();
    size.changed().await.expect("open");
    assert_eq!(*size.get(), Some(5));
    until(&client, |state| state.failures == 0).await;
}
