//! Faults of disks.

use anyhow::{Context, Result, ensure};
use test_support::{SmallDisk, Weather, within};
use tokio::time::Instant;

use super::scene::Kept;
use super::{Fault, Needs, Scene};
use crate::stage::DEADLINE;

/// Those of this file.
pub const FAULTS: &[Fault] = &[
    Fault {
        name: "disk-full-journal",
        about: "the server cannot write down that the head moved",
        needs: Needs {
            small_disk: Some(Kept::Journal),
            ..Needs::LITTLE
        },
        story: |scene| Box::pin(journal_full(scene)),
    },
    Fault {
        name: "disk-full-last-known-good",
        about: "an agent cannot remember what it applied, and is killed once it can",
        needs: Needs {
            small_disk: Some(Kept::LastKnownGood),
            ..Needs::LITTLE
        },
        story: |scene| Box::pin(memory_full(scene)),
    },
];

fn disk(scene: &Scene) -> Result<&SmallDisk> {
    scene.disk.as_ref().context("the scene has no small disk")
}

async fn journal_full(scene: &mut Scene) -> Result<Instant> {
    disk(scene)?.fill()?;
    scene.configurations.commit()?;
    scene.is_served().await?;
    within("the server says that it cannot", DEADLINE, async || {
        let unwritten = scene.server().metric("config_moves_unwritten").await?;
        (unwritten > 0.0).then_some(())
    })
    .await?;
    disk(scene)?.free()?;
    Ok(Instant::now())
}

/// What was applied while the disk was full is what an agent starts from once there is room again.
async fn memory_full(scene: &mut Scene) -> Result<Instant> {
    disk(scene)?.fill()?;
    scene.configurations.commit()?;
    within("everybody has it", DEADLINE, async || scene.is_whole().then_some(())).await?;
    cannot_remember(scene, true).await?;
    disk(scene)?.free()?;
    cannot_remember(scene, false).await?;
    let before = scene.sidecar.commit();
    Scene::close(&scene.to_servers);
    scene.sidecar.kill();
    scene.killed += 1;
    scene.sidecar.restart().await?;
    ensure!(scene.sidecar.commit() == before, "something older was remembered");
    scene.configurations.commit()?;
    scene.is_served().await?;
    scene.to_servers.set(Weather::Fair);
    Ok(Instant::now())
}

/// Waits until the sidecar says whether it can.
async fn cannot_remember(scene: &Scene, wanted: bool) -> Result<()> {
    within("the sidecar's own view of its memory", DEADLINE, async || {
        let error = scene.sidecar.health("lastKnownGoodError").await?;
        (error.is_string() == wanted).then_some(())
    })
    .await
}
