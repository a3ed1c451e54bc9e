use std::sync::{Arc, Mutex};
use std::time::Duration;

use bus_agent::testing::Origin;
use client_sdk::{Change, Closed, Watch};
use serde_json::json;
use tokio::time::timeout;

use super::{Pool, client, look, until};

#[tokio::test]
async fn a_watch_wakes_once_for_each_real_change() {
    let origin = Origin::serving(json!({"db.max-pool-size": 5, "other": 1})).await;
    let client = client(&origin).await;
    let mut pool: Watch<Pool> = client.watch("db").expect("it fits");
    assert_eq!(pool.get().max_pool_size, 5);

    origin.commit(json!({"db.max-pool-size": 5, "other": 2, "db.unread": 1}));
    client.refresh();
    until(&client, |state| state.applied_total == 2).await;
    assert!(
        timeout(Duration::from_millis(20), pool.changed()).await.is_err(),
        "woken by what it does not read"
    );

    origin.commit(json!({"db.maxPoolSize": 6}));
    client.refresh();
    timeout(Duration::from_secs(10), pool.changed())
        .await
        .expect("woken")
        .expect("open");
    assert_eq!(pool.get().max_pool_size, 6);
    assert!(
        timeout(Duration::from_millis(20), pool.changed()).await.is_err(),
        "woken twice"
    );
}

#[tokio::test]
async fn several_watches_swap_together_before_any_wakes() {
    let origin = Origin::serving(json!({"a.v": 0, "b.v": 0})).await;
    let client = client(&origin).await;
    let mut a: Watch<u32> = client.watch("a.v").expect("it fits");
    let b: Watch<u32> = client.watch("b.v").expect("it fits");
    for n in 1..20_u32 {
        origin.commit(json!({"a.v": n, "b.v": n}));
        client.refresh();
        timeout(Duration::from_secs(10), a.changed())
            .await
            .expect("woken")
            .expect("open");
        let (seen_a, seen_b) = (*a.get(), *b.get());
        assert_eq!(seen_a, n);
        assert_eq!(seen_b, n);
    }
}

#[tokio::test]
async fn listeners_get_the_old_and_the_new_value_and_the_keys() {
    let origin = Origin::serving(json!({"db.max-pool-size": 5, "other": 1})).await;
    let client = client(&origin).await;
    let pool: Watch<Pool> = client.watch("db").expect("it fits");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let all = Arc::new(Mutex::new(Vec::new()));
    let (see, see_all) = (seen.clone(), all.clone());
    let kept = pool.on_change(move |change: &Change<Pool>| {
        let keys: Vec<String> = change.keys.iter().map(str::to_owned).collect();
        see.lock()
            .expect("not poisoned")
            .push((change.old.max_pool_size, change.new.max_pool_size, keys));
    });
    let _panics = pool.on_change(|_| panic!("a listener of somebody else"));
    let _kept_all = client.on_change(move |change| {
        see_all
            .lock()
            .expect("not poisoned")
            .push((change.old.len(), change.new.len(), change.keys.len()));
    });

    origin.commit(json!({"db.max-pool-size": 6, "other": 2, "more": 3}));
    client.refresh();
    until(&client, |state| state.outcome.is_some() && state.applied_total == 2).await;
    look(&client).await;
    assert_eq!(
        *seen.lock().expect("not poisoned"),
        [(5, 6, vec!["db.max-pool-size".to_owned()])]
    );
    assert_eq!(*all.lock().expect("not poisoned"), [(2, 3, 3)]);

    drop(kept);
    origin.commit(json!({"db.max-pool-size": 7}));
    client.refresh();
    until(&client, |state| state.applied_total == 3).await;
    look(&client).await;
    assert_eq!(seen.lock().expect("not poisoned").len(), 1);
}

#[tokio::test]
async fn a_watch_alone_keeps_its_client_running_and_the_last_one_stops_it() {
    let origin = Origin::serving(json!({"v": 1})).await;
    let client = client(&origin).await;
    let mut states = client.states();
    let mut value: Watch<u32> = client.watch("v").expect("it fits");
    drop(client);
    origin.commit(json!({"v": 2}));
    value.client().refresh();
    timeout(Duration::from_secs(10), value.changed())
        .await
        .expect("woken")
        .expect("open");
    assert_eq!(*value.get(), 2);
    drop(value);
    let ended = timeout(Duration::from_secs(10), async {
        while states.changed().await.is_ok() {}
    })
    .await;
    ended.expect("the task stopped");
}

#[tokio::test]
async fn a_closed_client_keeps_its_values_and_wakes_whoever_waits() {
    let origin = Origin::serving(json!({"v": 1})).await;
    let client = client(&origin).await;
    let mut value: Watch<u32> = client.watch("v").expect("it fits");
    timeout(Duration::from_secs(10), client.close()).await.expect("closed");
    assert_eq!(value.changed().await, Err(Closed));
    assert_eq!(*value.get(), 1);
    assert_eq!(client.get("V").as_deref(), Some("1"));
}

#[test]
fn handles_can_be_shared_between_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<client_sdk::ConfigClient>();
    shared::<Watch<Pool>>();
    shared::<client_sdk::Listener>();
    shared::<client_sdk::Error>();
}
