//! Faults between several servers.

use anyhow::Result;
use test_support::Weather;
use tokio::time::Instant;

use super::{Fault, Needs, Scene};

const TWO: Needs = Needs {
    servers: 2,
    ..Needs::LITTLE
};

/// Those of this file.
pub const FAULTS: &[Fault] = &[
    Fault {
        name: "servers-apart",
        about: "two servers take turns behind one address, and one of them stays behind for a while",
        needs: TWO,
        story: |scene| Box::pin(servers_apart(scene)),
    },
    Fault {
        name: "server-of-two-killed",
        about: "one of two servers behind one address is killed, for ever",
        needs: TWO,
        story: |scene| Box::pin(one_killed(scene)),
    },
];

async fn servers_apart(scene: &mut Scene) -> Result<Instant> {
    let behind = &scene.nodes[1];
    behind.to_remote.set(Weather::Frozen);
    behind.misses_its_remote().await?;
    scene.configurations.commit()?;
    scene.is_served().await?;
    scene.hold().await;
    behind.to_remote.set(Weather::Fair);
    Ok(Instant::now())
}

async fn one_killed(scene: &mut Scene) -> Result<Instant> {
    scene.nodes[1].server.kill();
    let since = Instant::now();
    scene.configurations.commit()?;
    Ok(since)
}
