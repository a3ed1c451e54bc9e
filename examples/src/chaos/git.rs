//! Faults of the remote, of what is pushed to it, and of the server's copy.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::Result;
use contract::headers;
use test_support::git::Answer;
use test_support::{Weather, within};
use tokio::time::Instant;

use super::{Fault, Needs, Scene};
use crate::stage::DEADLINE;

/// Those of this file.
pub const FAULTS: &[Fault] = &[
    Fault {
        name: "remote-hung",
        about: "the remote takes connections and says nothing",
        needs: Needs::LITTLE,
        story: |scene| Box::pin(remote_hung(scene)),
    },
    Fault {
        name: "remote-failing",
        about: "the remote answers 500",
        needs: Needs::LITTLE,
        story: |scene| Box::pin(remote_answers(scene, 500)),
    },
    Fault {
        name: "remote-revoked",
        about: "the remote refuses the credentials",
        needs: Needs::LITTLE,
        story: |scene| Box::pin(remote_answers(scene, 401)),
    },
    Fault {
        name: "force-pushed",
        about: "history is rewritten under everybody's feet",
        needs: Needs::LITTLE,
        story: |scene| Box::pin(force_pushed(scene)),
    },
    Fault {
        name: "rolled-back",
        about: "the branch goes back to an older commit",
        needs: Needs::LITTLE,
        story: |scene| Box::pin(rolled_back(scene)),
    },
    Fault {
        name: "branch-deleted",
        about: "the branch is deleted and comes back",
        needs: Needs::LITTLE,
        story: |scene| Box::pin(branch_deleted(scene)),
    },
    Fault {
        name: "commit-broken",
        about: "a file cannot be read, until the next commit mends it",
        needs: Needs::LITTLE,
        story: |scene| Box::pin(commit_broken(scene)),
    },
    Fault {
        name: "locks-left",
        about: "a git that was killed left its locks in the server's copy",
        needs: Needs::LITTLE,
        story: |scene| Box::pin(locks_left(scene)),
    },
    Fault {
        name: "pack-corrupt",
        about: "the packs of the server's copy are overwritten with something else",
        needs: Needs::LITTLE,
        story: |scene| Box::pin(pack_corrupt(scene)),
    },
];

async fn remote_hung(scene: &mut Scene) -> Result<Instant> {
    scene.nodes[0].to_remote.set(Weather::Frozen);
    scene.configurations.commit()?;
    scene.nodes[0].misses_its_remote().await?;
    scene.nodes[0].to_remote.set(Weather::Fair);
    Ok(Instant::now())
}

async fn remote_answers(scene: &mut Scene, status: u16) -> Result<Instant> {
    scene.remote.answer(Answer::Status(status));
    scene.configurations.commit()?;
    scene.nodes[0].misses_its_remote().await?;
    scene.remote.answer(Answer::Git);
    Ok(Instant::now())
}

async fn force_pushed(scene: &mut Scene) -> Result<Instant> {
    scene.configurations.commit()?;
    scene.is_served().await?;
    let since = Instant::now();
    scene.configurations.force_push()?;
    Ok(since)
}

async fn rolled_back(scene: &mut Scene) -> Result<Instant> {
    scene.configurations.commit()?;
    within("everybody has it", DEADLINE, async || scene.is_whole().then_some(())).await?;
    let since = Instant::now();
    scene.configurations.roll_back()?;
    Ok(since)
}

async fn branch_deleted(scene: &mut Scene) -> Result<Instant> {
    scene.configurations.delete_branch()?;
    scene.hold().await;
    // What was known is served meanwhile.
    scene.is_served().await?;
    let since = Instant::now();
    scene.configurations.commit()?;
    Ok(since)
}

async fn commit_broken(scene: &mut Scene) -> Result<Instant> {
    let broken = scene.configurations.commit_broken()?.commit.clone();
    within("the server holds the commit back", DEADLINE, async || {
        (scene.server().header(headers::HELD).await? == broken).then_some(())
    })
    .await?;
    let since = Instant::now();
    scene.configurations.commit()?;
    Ok(since)
}

async fn locks_left(scene: &mut Scene) -> Result<Instant> {
    scene.nodes[0].server.kill();
    let mirror = scene.nodes[0].mirror()?;
    for lock in [
        "index.lock",
        "HEAD.lock",
        "config.lock",
        "packed-refs.lock",
        "refs/heads/main.lock",
    ] {
        fs::write(mirror.join(lock), "")?;
    }
    scene.configurations.commit()?;
    scene.nodes[0].server.restart().await?;
    Ok(Instant::now())
}

async fn pack_corrupt(scene: &mut Scene) -> Result<Instant> {
    damage(&scene.nodes[0].mirror()?.join("objects/pack"))?;
    let since = Instant::now();
    scene.configurations.commit()?;
    Ok(since)
}

fn damage(packs: &Path) -> Result<()> {
    for entry in fs::read_dir(packs)? {
        let pack = entry?.path();
        fs::set_permissions(&pack, fs::Permissions::from_mode(0o600))?;
        fs::write(pack, "damaged")?;
    }
    Ok(())
}
