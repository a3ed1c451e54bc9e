//! From the heads to an answer.

use std::sync::Arc;

use bus_agent::Revision;
use bus_agent::reconcile::Ask;
use config_server::store::Layer;
use config_server::store::heads::Head;
use config_server::store::reach::Reach;
use contract::AtLeast;

use super::{Server, at_once};
use crate::simulation::broken::Broken;
use crate::simulation::fact::Answer;
use crate::simulation::remote::{APPLICATIONS, BRANCHES, Place, Remote, Tree, id, number};
use crate::simulation::sight;

/// What comes of a request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// A configuration.
    Answer(Arc<Answer>),
    /// The head does not hold what is asked for at least.
    Behind,
    /// No state is good for the application.
    Refused,
    /// Nothing was ever fetched.
    Unready,
}

impl Server {
    /// Answers one application out of what is here, `looked` when that is what a look has found
    /// since it was asked.
    pub fn answer(
        &mut self,
        application: usize,
        ask: &Ask,
        looked: bool,
        remote: &Remote,
        broken: Option<Broken>,
    ) -> Reply {
        let branch = APPLICATIONS[application].branch();
        let Some((head, position)) = self.head(branch, remote) else {
            return Reply::Unready;
        };
        let looked = looked && !self.life.as_ref().is_some_and(|life| life.stale);
        let looked = looked || broken == Some(Broken::TrustsAncestry);
        let reached = |bound| self.reaches(&head, bound, looked, remote);
        if broken != Some(Broken::IgnoresAtLeast) && !ask.at_least.iter().all(reached) {
            return Reply::Behind;
        }
        let layer = Layer {
            snapshot: head.current.snapshot.clone(),
            earlier: head.earlier.clone(),
            soundest: head.soundest().clone(),
            layout: sight::layout(),
            label: BRANCHES[branch].into(),
        };
        let commits: Vec<usize> = states(&head).collect();
        let trees: Vec<Tree> = commits.iter().map(|commit| *remote.tree(*commit)).collect();
        let Some(mut seen) = sight::see(application, &layer, trees) else {
            return Reply::Refused;
        };
        if broken == Some(Broken::ServesBroken) {
            seen.state = 0;
        }
        let served = commits[seen.state];
        let mut answer = Answer {
            revision: Revision {
                digest: seen.digest.to_string(),
                etag: Some(format!("\"{}\"", seen.digest)),
                version: Some(id(served).to_string()),
                moved: head.moved.clone(),
            },
            label: head.label.clone(),
            values: seen.values,
            held: (seen.state > 0).then(|| head.commit().clone()),
            stale: self.life.as_ref().is_some_and(|life| life.stale),
            server: self.number,
            position,
        };
        if broken == Some(Broken::TwoCommits) {
            tear(&mut answer, &commits, remote);
        }
        Reply::Answer(Arc::new(answer))
    }

    /// The place that is served of a branch.
    pub fn serves(&mut self, branch: usize, remote: &Remote) -> Option<Place> {
        let (head, position) = self.head(branch, remote)?;
        let commit = number(head.commit());
        Some(Place { commit, position })
    }

    /// Whether a reader of `head` sees what is wanted or something newer.
    fn reaches(&self, head: &Head, bound: &AtLeast, looked: bool, remote: &Remote) -> bool {
        let Some(life) = &self.life else { return false };
        let contained = |wanted| self.is_ancestor(number(wanted), number(head.commit()), remote);
        let visited = |wanted| at_once(life.heads.visited(&head.label, wanted));
        let holds = bound.commit.as_ref().is_none_or(contained);
        let passed = bound.commit.as_ref().is_none_or(visited);
        match Reach::of(head.commit(), head.moved.as_ref(), bound) {
            Reach::Sure => true,
            Reach::Held => holds || looked && passed,
            Reach::Looked => looked && (holds || passed),
        }
    }
}

fn states(head: &Head) -> impl Iterator<Item = usize> {
    let states = std::iter::once(&head.current).chain(&*head.earlier);
    states.map(|state| number(&state.snapshot.commit))
}

/// Puts a file of the commit before into the answer.
fn tear(answer: &mut Answer, commits: &[usize], remote: &Remote) {
    let before = remote.history(commits[0]).nth(1);
    let before = before.and_then(|before| remote.expected(before, &[0]));
    if let Some(before) = before.filter(|before| before.0[0] != answer.values.0[0]) {
        answer.values.0[0] = before.0[0];
        answer.revision.digest.push_str("-torn");
        answer.revision.etag = None;
    }
}
