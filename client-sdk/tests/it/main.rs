//! The client against a server that can be told to fail.

mod change;
mod start;
mod veto;

use std::time::Duration;

use bus_agent::testing::Origin;
use client_sdk::{AgentState, Bus, ConfigClient, ConfigClientBuilder};
use serde::Deserialize;
use tokio::time::timeout;

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Pool {
    max_pool_size: u16,
    #[serde(default)]
    url: String,
}

fn builder(origin: &Origin) -> ConfigClientBuilder {
    ConfigClient::builder()
        .server(origin.url())
        .application("orders")
        .bus(Bus::None)
}

async fn client(origin: &Origin) -> ConfigClient {
    builder(origin).build().await.expect("a client")
}

/// Waits until the client's state is as wanted.
async fn until(client: &ConfigClient, wanted: impl FnMut(&AgentState) -> bool) -> AgentState {
    let mut states = client.states();
    let waited = timeout(Duration::from_secs(10), states.wait_for(wanted)).await;
    waited.expect("the state in time").expect("a client that runs").clone()
}

/// Lets the client look, and waits until it did.
async fn look(client: &ConfigClient) {
    let before = client.state();
    client.refresh();
    until(client, |state| {
        state.fetches_total > before.fetches_total && (state.confirmed > before.confirmed || state.failures > 0)
    })
    .await;
}
