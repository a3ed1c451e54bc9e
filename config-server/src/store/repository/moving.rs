//! How a head comes to stand where its label stands: at first sight, and when the label has moved.
//! Called by the refresher alone.

use std::sync::Arc;

use contract::{CommitId, Label};
use git2::Oid;
use tracing::debug;

use super::Shared;
use crate::git::{Failure, Loaded, read};
use crate::store::fallback::Fallbacks;
use crate::store::head_log::Cause;
use crate::store::heads::Head;

/// Commits looked back through for those that may stand in for the head.
const HISTORY: usize = 32;

impl Shared {
    /// First sight of a label in this process: what the log lacks of its moves is written down.
    pub(super) async fn adopt(
        self: &Arc<Self>,
        name: &str,
        commit: Oid,
        cause: Cause,
    ) -> Result<Option<Arc<Head>>, Failure> {
        let Ok(label) = name.parse::<Label>() else {
            return Ok(None);
        };
        let loaded = self.load(commit).await?;
        let earlier = self.history(&loaded, commit).await;
        let before = match self.heads.last(&label).await {
            Some(last) if last != loaded.snapshot.commit => self.state_of(&last).await,
            _ => None,
        };
        let before = before.map(|state| state.snapshot);
        let head = self.heads.place(&label, loaded, earlier, before, cause).await;
        Ok(Some(head))
    }

    /// The states before `commit` that may be served in its place: what was good before a restart is
    /// good after it. As far back as they can be read.
    async fn history(self: &Arc<Self>, loaded: &Loaded, commit: Oid) -> Vec<Loaded> {
        let mut fallbacks = Fallbacks::of(loaded);
        let walked = self.on_mirror(move |repository, shared| {
            let limits = &shared.settings.limits;
            let commits = read::history(repository, commit, HISTORY)?.into_iter();
            let mut states = commits.map_while(|commit| read::load(repository, &shared.shelf, limits, commit).ok());
            while !fallbacks.is_complete()
                && let Some(state) = states.next()
            {
                fallbacks.offer(state);
            }
            Ok(fallbacks.into_states())
        });
        walked.await.unwrap_or_default()
    }

    async fn state_of(self: &Arc<Self>, commit: &CommitId) -> Option<Loaded> {
        let id = Oid::from_str(commit.as_str()).ok()?;
        self.load(id).await.ok()
    }

    /// Moves one head to where its label stands now; `None` when the label is gone.
    pub(super) async fn advance_head(
        self: &Arc<Self>,
        head: &Arc<Head>,
        cause: Cause,
    ) -> Result<Option<Arc<Head>>, Failure> {
        let Some((_, commit)) = self.find(head.label.as_str()) else {
            self.heads.forget(&head.label);
            return Ok(None);
        };
        if read::commit_id(commit) == *head.commit() {
            return Ok(Some(head.clone()));
        }
        let loaded = self.load(commit).await?;
        debug!(
            label = %head.label,
            commit.id = %loaded.snapshot.commit,
            commit.previous = %head.commit(),
            "the head moved"
        );
        let before = Some(head.current.snapshot.clone());
        let placed = self.heads.place(&head.label, loaded, head.states(), before, cause);
        Ok(Some(placed.await))
    }
}
