//! A repository of this machine is watched, so that a commit is seen at once.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{Event, RecursiveMode};
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::Shared;
use super::refresher::Order;
use crate::settings::backend::Freshness;
use crate::store::changes::Changes;
use crate::tasks::Tasks;

/// A push writes several files; the look waits until they are quiet.
const QUIET: Duration = Duration::from_millis(20);
/// But not longer than this.
const LONGEST: Duration = Duration::from_millis(200);
/// A repository that is not there yet is looked for this often.
const RETRY: Duration = Duration::from_secs(2);

/// Watches the remote of `shared` when it is a directory and the operator did not ask for silence.
pub(super) fn start(shared: &Arc<Shared>, orders: mpsc::WeakSender<Order>, tasks: &Tasks, stop: &CancellationToken) {
    let Some(directory) = shared.local.clone() else {
        return;
    };
    if shared.settings.freshness == Freshness::Manual {
        return;
    }
    let told = stop.clone();
    let name = format!("watch {}", shared.heads.repository);
    tasks.spawn(name, stop, async move {
        tokio::select! {
            () = told.cancelled() => {}
            () = watch(directory, orders) => {}
        }
    });
}

async fn watch(directory: PathBuf, orders: mpsc::WeakSender<Order>) {
    let changes = loop {
        match changes(&directory) {
            Ok(changes) => break changes,
            Err(error) => debug!(%error, "the repository cannot be watched yet"),
        }
        sleep(RETRY).await;
    };
    loop {
        changes.settled(QUIET, LONGEST).await;
        let Some(orders) = orders.upgrade() else {
            return;
        };
        if orders.send(Order::Changed).await.is_err() {
            return;
        }
    }
}

fn changes(directory: &Path) -> Result<Changes, notify::Error> {
    let repository = git2::Repository::open(directory).map_err(|error| notify::Error::generic(error.message()))?;
    let shared_directory = repository.commondir().to_owned();
    let mut changes = Changes::new(concerns_refs)?;
    // Directories, never files: git replaces a file by renaming another over it.
    changes.watch(&shared_directory, RecursiveMode::NonRecursive)?;
    changes.watch(&shared_directory.join("refs"), RecursiveMode::Recursive)?;
    Ok(changes)
}

/// Locks and other files of the repository do not count.
fn concerns_refs(event: &Event) -> bool {
    event.paths.iter().any(|path| {
        let is_lock = path.extension().is_some_and(|extension| extension == "lock");
        let packed = path.file_name().is_some_and(|name| name == "packed-refs");
        let loose = path.components().any(|part| part.as_os_str() == "refs");
        !is_lock && (packed || loose)
    })
}

#[cfg(test)]
mod tests {
    use notify::EventKind;
    use notify::event::CreateKind;

    use super::*;

    fn event(kind: EventKind, path: &str) -> Event {
        Event::new(kind).add_path(path.into())
    }

    #[test]
    fn only_changed_references_count() {
        let created = EventKind::Create(CreateKind::File);
        assert!(concerns_refs(&event(created, "/r/.git/refs/heads/main")));
        assert!(concerns_refs(&event(created, "/r/.git/packed-refs")));
        assert!(!concerns_refs(&event(created, "/r/.git/refs/heads/main.lock")));
        assert!(!concerns_refs(&event(created, "/r/.git/index")));
    }
}
