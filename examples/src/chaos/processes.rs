//! Faults of the processes, and of the way between them.

use anyhow::{Result, ensure};
use serde_json::json;
use test_support::Weather;
use tokio::time::Instant;

use super::{Fault, Needs, Scene};

/// Those of this file.
pub const FAULTS: &[Fault] = &[
    Fault {
        name: "server-killed",
        about: "the server is killed and started again",
        needs: Needs::LITTLE,
        story: |scene| Box::pin(server_killed(scene)),
    },
    Fault {
        name: "server-killed-unpublished",
        about: "the server is killed between swap and publish, and started again",
        needs: Needs::LITTLE,
        story: |scene| Box::pin(server_killed_unpublished(scene)),
    },
    Fault {
        name: "server-stopped",
        about: "the server's process is stopped (SIGSTOP) for a while",
        needs: Needs::LITTLE,
        story: |scene| Box::pin(server_stopped(scene)),
    },
    Fault {
        name: "server-unreachable",
        about: "agents' connections to the server pass nothing on and stay open",
        needs: Needs::LITTLE,
        story: |scene| Box::pin(server_unreachable(scene)),
    },
    Fault {
        name: "agent-killed",
        about: "an agent is killed and started again",
        needs: Needs::LITTLE,
        story: |scene| Box::pin(agent_killed(scene)),
    },
    Fault {
        name: "agent-stopped",
        about: "an agent's process is stopped (SIGSTOP) for a while",
        needs: Needs::LITTLE,
        story: |scene| Box::pin(agent_stopped(scene)),
    },
    Fault {
        name: "everything-away",
        about: "remote, server and broker are away while an agent is killed and starts again",
        needs: Needs::LITTLE,
        story: |scene| Box::pin(everything_away(scene)),
    },
];

async fn server_killed(scene: &mut Scene) -> Result<Instant> {
    scene.nodes[0].server.kill();
    scene.configurations.commit()?;
    scene.nodes[0].server.restart().await?;
    Ok(Instant::now())
}

async fn server_killed_unpublished(scene: &mut Scene) -> Result<Instant> {
    Scene::close(&scene.nodes[0].to_broker);
    scene.configurations.commit()?;
    scene.is_served().await?;
    scene.nodes[0].server.kill();
    scene.nodes[0].to_broker.set(Weather::Fair);
    scene.nodes[0].server.restart().await?;
    Ok(Instant::now())
}

async fn server_stopped(scene: &mut Scene) -> Result<Instant> {
    scene.server().signal("STOP")?;
    scene.configurations.commit()?;
    scene.hold().await;
    scene.server().signal("CONT")?;
    Ok(Instant::now())
}

async fn server_unreachable(scene: &mut Scene) -> Result<Instant> {
    scene.to_servers.set(Weather::Frozen);
    scene.configurations.commit()?;
    scene.is_served().await?;
    scene.hold().await;
    scene.to_servers.set(Weather::Fair);
    Ok(Instant::now())
}

async fn agent_killed(scene: &mut Scene) -> Result<Instant> {
    scene.sidecar.kill();
    scene.killed += 1;
    scene.configurations.commit()?;
    scene.is_served().await?;
    let since = Instant::now();
    scene.sidecar.restart().await?;
    Ok(since)
}

async fn agent_stopped(scene: &mut Scene) -> Result<Instant> {
    scene.sidecar.signal("STOP")?;
    scene.configurations.commit()?;
    scene.is_served().await?;
    scene.hold().await;
    scene.sidecar.signal("CONT")?;
    Ok(Instant::now())
}

/// The agent starts from the last known good, and says so.
async fn everything_away(scene: &mut Scene) -> Result<Instant> {
    let before = scene.sidecar.commit();
    Scene::close(&scene.to_broker);
    Scene::close(&scene.nodes[0].to_broker);
    Scene::close(&scene.nodes[0].to_remote);
    scene.nodes[0].server.kill();
    scene.sidecar.kill();
    scene.killed += 1;
    scene.sidecar.restart().await?;
    ensure!(scene.sidecar.commit() == before, "something else was remembered");
    let source = scene.sidecar.health("source").await;
    ensure!(source == Some(json!("last-known-good")), "it starts from {source:?}");
    scene.configurations.commit()?;
    for road in [&scene.to_broker, &scene.nodes[0].to_broker, &scene.nodes[0].to_remote] {
        road.set(Weather::Fair);
    }
    let since = Instant::now();
    scene.nodes[0].server.restart().await?;
    Ok(since)
}
