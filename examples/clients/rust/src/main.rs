//! Reads properties and files with `scconfig-rs` and insists on every value.
//!
//! Its text forms (`/orders/dev.yaml`) and nested files without a label are routes that no Spring
//! Cloud Config Server has.

use std::env::var;
use std::error::Error;

use scconfig_rs::{BootstrapConfig, ConfigDocument, EnvironmentRequest, ResourceRequest, SpringConfigClient};
use serde::Deserialize;

#[derive(Debug, PartialEq, Deserialize)]
struct Orders {
    greeting: String,
    port: u16,
    ratio: f64,
    enabled: bool,
    hosts: Vec<String>,
    database: Database,
    region: String,
    shared: String,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Database {
    user: String,
    password: String,
}

fn expected() -> Orders {
    Orders {
        greeting: "hello from dev".into(),
        port: 8081,
        ratio: 0.5,
        enabled: true,
        hosts: vec!["dev.example".into()],
        database: Database {
            user: "orders".into(),
            password: "mysecret".into(),
        },
        region: "eu".into(),
        shared: "everybody's".into(),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let client = SpringConfigClient::builder(var("SERVER")?)?
        .basic_auth(var("SERVER_USER")?, var("SERVER_PASSWORD")?)
        .build()?;
    environments(&client).await?;
    files(&client).await?;
    Ok(())
}

fn orders() -> Result<EnvironmentRequest, scconfig_rs::Error> {
    EnvironmentRequest::new("orders", ["dev", "cloud"])
}

async fn environments(client: &SpringConfigClient) -> Result<(), Box<dyn Error>> {
    let environment = client.fetch_environment(&orders()?.label("main")).await?;
    assert_eq!(environment.name, "orders");
    assert_eq!(environment.profiles, ["dev,cloud"], "as a stock server says it");
    assert_eq!(environment.label.as_deref(), Some("main"));
    assert_eq!(environment.version, Some(var("COMMIT")?));
    // The client lays lists over one another: what a higher one lacks shows through.
    let overlaid = Orders {
        hosts: vec!["dev.example".into(), "b.example".into()],
        ..expected()
    };
    assert_eq!(client.fetch_typed::<Orders>(&orders()?).await?, overlaid);
    assert_eq!(BootstrapConfig::from_env()?.load_typed::<Orders>().await?, overlaid);

    let branch = client.fetch_environment(&orders()?.label("feature/x")).await?;
    assert_eq!(branch.effective_properties()["branch"], "feature/x");
    Ok(())
}

async fn files(client: &SpringConfigClient) -> Result<(), Box<dyn Error>> {
    let file = |path| ResourceRequest::new("orders", ["dev"], path);
    for request in [file("nginx.conf")?, file("nginx.conf")?.label("main")] {
        assert_eq!(
            client.fetch_resource(&request).await?.text()?,
            "server { listen 80; }\n"
        );
    }
    for request in [
        file("tls/chain.pem")?.label("main"),
        file("tls/chain.pem")?.label("feature/x"),
    ] {
        let chain = client.fetch_resource(&request).await?;
        assert!(chain.text()?.starts_with("-----BEGIN CERTIFICATE-----\n"));
    }
    let ConfigDocument::Binary(bytes) = client.fetch_resource(&file("binary.p12")?).await?.parse()? else {
        return Err("a binary file arrived as something else".into());
    };
    assert_eq!(bytes, [0, 0xff, 0xfe, b'\r', b'\n']);
    Ok(())
}
