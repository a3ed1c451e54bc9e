use bus_agent::testing::{Origin, commit};
use client_sdk::{ErrorKind, Watch};
use serde_json::json;

use super::{Pool, client, look, until};

#[tokio::test]
async fn a_commit_that_does_not_fit_changes_nothing_and_names_the_place() {
    let origin = Origin::serving(json!({"db.max-pool-size": 5, "v": 1})).await;
    let client = client(&origin).await;
    let pool: Watch<Pool> = client.watch("db").expect("it fits");
    let value: Watch<u32> = client.watch("v").expect("it fits");
    origin.commit(json!({"db.max-pool-size": {"value": "s3cret", "origin": "2:18"}, "v": 2}));
    client.refresh();
    let state = until(&client, |state| state.outcome == Some(contract::Outcome::Vetoed)).await;
    let reason = state.last_error.expect("a reason").text;
    assert_eq!(
        reason,
        "`db.max-pool-size` (repo/orders.yml:2:18): expected a whole number"
    );
    assert_eq!(pool.get().max_pool_size, 5);
    assert_eq!(*value.get(), 1, "the other watch moved on alone");
    assert_eq!(client.configuration().revision().commit(), Some(commit(1)));

    origin.commit(json!({"db.max-pool-size": 7, "v": 3}));
    client.refresh();
    until(&client, |state| state.applied_total == 2).await;
    assert_eq!((pool.get().max_pool_size, *value.get()), (7, 3));
}

#[tokio::test]
async fn a_validator_refuses_and_the_old_value_stays() {
    let origin = Origin::serving(json!({"db.max-pool-size": 5})).await;
    let client = client(&origin).await;
    let positive = |pool: &Pool| match pool.max_pool_size {
        0 => Err("`max-pool-size` must not be 0"),
        _ => Ok(()),
    };
    let pool = client.watch_validated("db", positive).expect("acceptable");
    origin.commit(json!({"db.max-pool-size": 0}));
    client.refresh();
    let state = until(&client, |state| state.outcome == Some(contract::Outcome::Vetoed)).await;
    assert_eq!(
        state.last_error.expect("a reason").text,
        "`db`: `max-pool-size` must not be 0"
    );
    assert_eq!(pool.get().max_pool_size, 5);
    let error = client
        .watch_validated("db", |_: &Pool| Err("never"))
        .map(|_| ())
        .expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Refused);
}

#[tokio::test]
async fn a_validator_may_ask_its_client() {
    let origin = Origin::serving(json!({"v": 1, "most": 5})).await;
    let client = client(&origin).await;
    let asking = client.clone();
    let below = move |value: &u32| match asking.bind::<u32>("most") {
        Ok(most) if *value <= most => Ok(()),
        _ => Err("more than `most`"),
    };
    let value = client.watch_validated("v", below).expect("acceptable");
    origin.commit(json!({"v": 3, "most": 5}));
    client.refresh();
    until(&client, |state| state.applied_total == 2).await;
    assert_eq!(*value.get(), 3);
}

#[tokio::test]
async fn a_validator_that_panics_refuses() {
    let origin = Origin::serving(json!({"v": 1})).await;
    let client = client(&origin).await;
    let value = client
        .watch_validated("v", |value: &u32| {
            assert!(*value < 2, "a bug of the application");
            Ok::<(), String>(())
        })
        .expect("acceptable");
    origin.commit(json!({"v": 2}));
    client.refresh();
    until(&client, |state| state.outcome == Some(contract::Outcome::Vetoed)).await;
    assert_eq!(*value.get(), 1);
}

#[tokio::test]
async fn a_dropped_watch_refuses_nothing_any_more() {
    let origin = Origin::serving(json!({"db.max-pool-size": 5})).await;
    let client = client(&origin).await;
    drop(client.watch::<Pool>("db").expect("it fits"));
    origin.commit(json!({"db.max-pool-size": "none"}));
    look(&client).await;
    until(&client, |state| state.applied_total == 2).await;
}

#[tokio::test]
async fn what_does_not_fit_from_the_start_is_an_error_with_its_place() {
    let origin = Origin::serving(json!({"db.url": "u"})).await;
    let client = client(&origin).await;
    let error = client.watch::<Pool>("db").map(|_| ()).expect_err("missing");
    assert_eq!(error.kind(), ErrorKind::Bind);
    let cause = std::error::Error::source(&error).expect("a cause").to_string();
    assert_eq!(cause, "`db.max-pool-size`: is missing");
    assert_eq!(client.bind::<String>("db.url").expect("it fits"), "u");
}
