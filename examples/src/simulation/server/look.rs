//! From what a fetch brought to the heads: first sights, moves, and what could not be written down
//! before.

use std::sync::Arc;

use config_server::engine::snapshot::Snapshot;
use config_server::git::Loaded;
use config_server::store::heads::Head;
use config_server::store::{Cause, HeadLog, HeadMove};
use contract::Label;

pub use super::log::Written;
use super::{Life, Mirror, REPOSITORY, Server, at_once};
use crate::simulation::remote::{self, BRANCHES, Place, Refs, Remote, branch_named};
use crate::simulation::sight;

/// Commits looked back through for one whose files can be parsed.
const HISTORY: usize = 32;

impl Server {
    /// Serves the default label out of the mirror, as a start does.
    pub fn warm_up(&mut self, remote: &Remote) -> Vec<Written> {
        self.obey_the_disk();
        if let (Some(life), Some(_)) = (&mut self.life, self.mirror.refs) {
            life.follow(0, Cause::Start, &self.mirror, remote);
            return life.log.take_written();
        }
        Vec::new()
    }

    /// A look has ended: `refs` is what it found, unless it failed.
    pub fn looked(&mut self, refs: Option<Refs>, remote: &Remote) -> Vec<Written> {
        self.obey_the_disk();
        let Some(life) = &mut self.life else {
            return Vec::new();
        };
        let cause = life.rounds.cause();
        at_once(life.heads.write_down_missed(cause));
        life.stale = refs.is_none();
        if let Some(refs) = refs {
            self.mirror.fetched(refs, remote);
            life.recall(cause, &self.mirror, remote);
            life.advance(cause, &self.mirror, remote);
        }
        life.log.take_written()
    }

    /// Writes the moves down that `refs` will make, and makes them not: what must never be done.
    pub fn foretell(&mut self, refs: Refs, remote: &Remote) -> Vec<Written> {
        let Some(life) = &mut self.life else {
            return Vec::new();
        };
        for head in life.heads.all() {
            let branch = branch_named(head.label.as_str()).expect("only branches are followed");
            let to = sight::load(remote, refs[branch].commit).snapshot;
            if to.commit != *head.commit() {
                let stands = life.log.position(branch);
                life.log.leads_to(branch, refs[branch].position);
                let moved = HeadMove {
                    repository: REPOSITORY.into(),
                    label: head.label.clone(),
                    from: Some(head.current.snapshot.clone()),
                    to,
                    layout: sight::layout(),
                    cause: Cause::Tick,
                };
                // What cannot be written down is not foretold either.
                let _ = at_once(life.log.record(moved));
                life.log.leads_to(branch, stands);
            }
        }
        life.log.take_written()
    }

    /// The head of a branch, followed from now on; `None` while nothing was ever fetched.
    pub(super) fn head(&mut self, branch: usize, remote: &Remote) -> Option<(Arc<Head>, usize)> {
        self.obey_the_disk();
        self.mirror.refs?;
        let life = self.life.as_mut()?;
        let head = life.follow(branch, Cause::Read, &self.mirror, remote);
        Some((head, life.log.position(branch)))
    }

    /// What was written down since it was asked last.
    pub fn take_written(&self) -> Vec<Written> {
        self.life
            .as_ref()
            .map(|life| life.log.take_written())
            .unwrap_or_default()
    }

    pub(super) fn is_ancestor(&self, wanted: usize, commit: usize, remote: &Remote) -> bool {
        self.mirror.known.contains(&wanted) && remote.history(commit).any(|before| before == wanted)
    }

    fn obey_the_disk(&self) {
        if let Some(life) = &self.life {
            life.log.set_full(self.disk_full);
        }
    }
}

impl Mirror {
    fn fetched(&mut self, refs: Refs, remote: &Remote) {
        self.refs = Some(refs);
        for Place { commit, .. } in refs {
            let new = remote.history(commit).take_while(|commit| !self.known.contains(commit));
            let new: Vec<usize> = new.collect();
            self.known.extend(new);
        }
    }

    fn place(&self, branch: usize) -> Place {
        self.refs.expect("something was fetched")[branch]
    }
}

impl Life {
    fn recall(&mut self, cause: Cause, mirror: &Mirror, remote: &Remote) {
        self.follow(0, cause, mirror, remote);
        for label in at_once(self.heads.labels()) {
            let branch = branch_named(label.as_str()).expect("only branches are followed");
            self.follow(branch, cause, mirror, remote);
        }
    }

    fn follow(&mut self, branch: usize, cause: Cause, mirror: &Mirror, remote: &Remote) -> Arc<Head> {
        if let Some(head) = self.heads.get(BRANCHES[branch]) {
            return head;
        }
        let place = mirror.place(branch);
        let label: Label = BRANCHES[branch].parse().expect("a label");
        let loaded = sight::load(remote, place.commit);
        let earlier = earlier(place.commit, remote);
        let last = at_once(self.heads.last(&label)).filter(|last| *last != loaded.snapshot.commit);
        let last = last.map(|last| remote::number(&last));
        let before = last.filter(|last| mirror.known.contains(last));
        let before = before.map(|last| sight::load(remote, last).snapshot);
        self.place(branch, loaded, earlier, before, (cause, place.position))
    }

    fn advance(&mut self, cause: Cause, mirror: &Mirror, remote: &Remote) {
        for head in self.heads.all() {
            let branch = branch_named(head.label.as_str()).expect("only branches are followed");
            let place = mirror.place(branch);
            if remote::id(place.commit) == *head.commit() {
                self.log.leads_to(branch, place.position);
                continue;
            }
            let before = Some(head.current.snapshot.clone());
            let loaded = sight::load(remote, place.commit);
            self.place(branch, loaded, head.states(), before, (cause, place.position));
        }
    }

    fn place(
        &mut self,
        branch: usize,
        loaded: Loaded,
        earlier: Vec<Loaded>,
        before: Option<Arc<Snapshot>>,
        (cause, position): (Cause, usize),
    ) -> Arc<Head> {
        let label = BRANCHES[branch].parse().expect("a label");
        self.log.leads_to(branch, position);
        at_once(self.heads.place(&label, loaded, earlier, before, cause))
    }
}

/// The states before `commit`.
fn earlier(commit: usize, remote: &Remote) -> Vec<Loaded> {
    let before = remote.history(commit).skip(1).take(HISTORY);
    before.map(|commit| sight::load(remote, commit)).collect()
}
