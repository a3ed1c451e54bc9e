//! The smallest service that follows its configuration: change `storefront.yml`, commit, watch.
//!
//! Run with `cargo run -p examples --bin quickstart` while `just demo` (or any config server) runs.

use anyhow::Result;
use client_sdk::ConfigClient;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "printed whole")]
struct Storefront {
    greeting: String,
    page_size: u32,
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "what the example shows")]
async fn main() -> Result<()> {
    let server = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "http://localhost:8888".to_owned());
    let client = ConfigClient::builder()
        .server(server)
        .application("storefront")
        .profiles(["dev"])
        .build()
        .await?;
    let mut storefront = client.watch::<Storefront>("")?;
    loop {
        println!("{:?}", storefront.to_arc());
        storefront.changed().await?;
    }
}
