//! The node itself: it starts, stops, comes back, and leaves nothing behind.

use std::time::Duration;

use test_support::{Broker, eventually};
use tokio::net::TcpStream;

#[tokio::test]
async fn a_node_stops_and_comes_back_with_its_virtual_hosts() {
    let broker = Broker::launch().await;
    let host = broker.virtual_host().await;
    broker.stop().await;
    assert!(TcpStream::connect(broker.address()).await.is_err());
    broker.start().await;
    assert!(broker.ctl(&["list_vhosts", "--quiet"]).await.contains(&host));
    let address = broker.address();
    drop(broker);
    eventually("the port is free", Duration::from_secs(10), async || {
        TcpStream::connect(address).await.is_err().then_some(())
    })
    .await;
}
