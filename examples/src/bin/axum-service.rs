//! An axum service whose pages always use the current configuration, and refuse a bad one.
//!
//! Run with `cargo run -p examples --bin axum-service` while `just demo` runs, then
//! `curl localhost:3000`, and change `storefront.yml`. A page size of 0 is vetoed: the page stays.

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use client_sdk::{ConfigClient, Watch};
use examples::Storefront;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<()> {
    tracing_subscriber::fmt().init();
    let server = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "http://localhost:8888".to_owned());
    let client = ConfigClient::builder()
        .server(server)
        .application("storefront")
        .profiles(["dev"])
        .last_known_good(std::env::temp_dir().join("storefront-config"))
        .build()
        .await?;
    let storefront = client.watch_validated("", |candidate: &Storefront| match candidate.page_size {
        0 => Err("page-size must not be 0"),
        _ => Ok(()),
    })?;
    let routes = Router::new()
        .route("/", get(front_page))
        .route("/health", get(health))
        .with_state(storefront);
    let listener = TcpListener::bind("127.0.0.1:3000")
        .await
        .context("port 3000 is taken")?;
    tracing::info!(address = %listener.local_addr()?, "serving");
    Ok(axum::serve(listener, routes).await?)
}

async fn front_page(State(storefront): State<Watch<Storefront>>) -> String {
    let now = storefront.get();
    format!(
        "{}\n{} articles a page, first {}\n",
        now.greeting,
        now.page_size,
        now.featured.join(", ")
    )
}

async fn health(State(storefront): State<Watch<Storefront>>) -> String {
    let state = storefront.client().state();
    let commit = state.live.and_then(|live| live.revision.commit());
    format!(
        "commit {}, bus connected: {}\n",
        commit.map_or("?".to_owned(), |c| c.to_string()),
        state.connected
    )
}
