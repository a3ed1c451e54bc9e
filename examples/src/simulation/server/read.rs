//! From the heads to an answer.

use std::sync::Arc;

use bus_agent::Revision;
use bus_agent::reconcile::Ask;
use config_server::store::Layer;
use config_server::store::heads::Head;

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
    /// Answers one application out of what is here.
    pub fn answer(&mut self, application: usize, ask: &Ask, remote: &Remote, broken: Option<Broken>) -> Reply {
        let branch = APPLICATIONS[application].branch();
        let Some((head, position)) = self.head(branch, remote) else {
            return Reply::Unready;
        };
        let bound = ask.at_least.as_ref().filter(|_| broken != Some(Broken::IgnoresAtLeast));
        if bound.is_some_and(|wanted| !self.reaches(&head, wanted, remote)) {
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

    /// Whether a reader of `head` sees `wanted` or something newer.
    fn reaches(&self, head: &Head, wanted: &contract::CommitId, remote: &Remote) -> bool {
        let Some(life) = &self.life else { return false };
        head.commit() == wanted
            || at_once(life.heads.visited(&head.label, wanted))
            || self.is_ancestor(number(wanted), number(head.commit()), remote)
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
