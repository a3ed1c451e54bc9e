//! Faults of the broker, and of the way to it.

use anyhow::{Result, ensure};
use test_support::Weather;
use tokio::time::Instant;

use super::{Fault, Needs, Scene};

/// Those of this file.
pub const FAULTS: &[Fault] = &[
    Fault {
        name: "broker-restarted",
        about: "the broker is stopped in good order and started again",
        needs: Needs::BROKER,
        story: |scene| Box::pin(restarted(scene)),
    },
    Fault {
        name: "broker-killed",
        about: "the broker is killed and started again",
        needs: Needs::BROKER,
        story: |scene| Box::pin(killed(scene)),
    },
    Fault {
        name: "queues-deleted",
        about: "every queue is deleted while agents consume from it",
        needs: Needs::LITTLE,
        story: |scene| Box::pin(queues_deleted(scene)),
    },
    Fault {
        name: "connections-closed",
        about: "the broker closes every connection",
        needs: Needs::LITTLE,
        story: |scene| Box::pin(connections_closed(scene)),
    },
    Fault {
        name: "connections-blocked",
        about: "the broker takes no messages: its memory alarm is on",
        needs: Needs::BROKER,
        story: |scene| Box::pin(connections_blocked(scene)),
    },
    Fault {
        name: "server-half-open",
        about: "the server's connection to the broker passes nothing on and stays open",
        needs: Needs::LITTLE,
        story: |scene| Box::pin(server_half_open(scene)),
    },
    Fault {
        name: "agents-half-open",
        about: "agents' connections to the broker pass nothing on and stay open, for ever",
        needs: Needs::LITTLE,
        story: |scene| Box::pin(agents_half_open(scene)),
    },
];

async fn restarted(scene: &mut Scene) -> Result<Instant> {
    scene.broker.stop().await;
    scene.broker_is_missed().await?;
    scene.configurations.commit()?;
    scene.is_served().await?;
    scene.broker.start().await;
    Ok(Instant::now())
}

async fn killed(scene: &mut Scene) -> Result<Instant> {
    scene.broker.kill();
    scene.configurations.commit()?;
    scene.is_served().await?;
    scene.broker.start().await;
    Ok(Instant::now())
}

async fn queues_deleted(scene: &mut Scene) -> Result<Instant> {
    scene.broker.delete_queues_of(&scene.virtual_host).await;
    let since = Instant::now();
    scene.configurations.commit()?;
    Ok(since)
}

async fn connections_closed(scene: &mut Scene) -> Result<Instant> {
    scene.broker.close_connections_of(&scene.virtual_host).await;
    let since = Instant::now();
    scene.configurations.commit()?;
    Ok(since)
}

async fn connections_blocked(scene: &mut Scene) -> Result<Instant> {
    scene.broker.alarm(true).await;
    // The broker takes one message more, and tells of the alarm by it.
    scene.configurations.commit()?;
    scene.nodes[0].is_connected(false).await?;
    scene.configurations.commit()?;
    scene.is_served().await?;
    scene.hold().await;
    let current = Some(scene.configurations.current().commit.clone());
    let heard = scene.over_broker.iter().any(|follower| follower.commit() == current);
    ensure!(!heard, "the broker took the event all the same");
    scene.broker.alarm(false).await;
    Ok(Instant::now())
}

async fn server_half_open(scene: &mut Scene) -> Result<Instant> {
    let node = &scene.nodes[0];
    node.to_broker.set(Weather::Frozen);
    scene.configurations.commit()?;
    node.is_connected(false).await?;
    node.to_broker.set(Weather::Fair);
    Ok(Instant::now())
}

async fn agents_half_open(scene: &mut Scene) -> Result<Instant> {
    scene.to_broker.set(Weather::Frozen);
    let since = Instant::now();
    scene.configurations.commit()?;
    Ok(since)
}
