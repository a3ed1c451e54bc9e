//! What reading a current value costs.

use std::hint::black_box;

use bus_agent::testing::Origin;
use client_sdk::{Bus, ConfigClient, Watch};
use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::json;

fn read(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let (_origin, value) = runtime.block_on(async {
        let origin = Origin::serving(json!({"db.max-pool-size": 5})).await;
        let builder = ConfigClient::builder().server(origin.url()).application("orders");
        let client = builder.bus(Bus::None).build().await.expect("a client");
        let value: Watch<u16> = client.watch("db.max-pool-size").expect("it fits");
        (origin, value)
    });
    criterion.bench_function("watch/get", |bencher| bencher.iter(|| black_box(*value.get())));
    criterion.bench_function("watch/to_arc", |bencher| bencher.iter(|| black_box(value.to_arc())));
}

criterion_group!(benches, read);
criterion_main!(benches);
