//! Promise 2: a running application only ever moves forward, through the places where its branch
//! stood, whichever servers it asks. What it ran, in order, is part of what the branch was, in order:
//! once the branch is back at a commit, a server that never left it is where the branch is.

use std::collections::BTreeMap;

use super::{Promise, Scene, Verdict, hold};
use crate::simulation::fact::Fact;

#[derive(Debug, Default)]
pub(super) struct NeverBackward {
    /// The place of what each agent has live, as long as its process runs.
    reached: BTreeMap<usize, usize>,
}

impl Promise for NeverBackward {
    fn see(&mut self, scene: &Scene<'_>, fact: &Fact) -> Verdict {
        match fact {
            Fact::Began { agent } | Fact::Ended { agent } => {
                self.reached.remove(agent);
                Ok(())
            }
            Fact::Live { agent, answer, .. } => {
                let before = self.reached.get(agent).copied().unwrap_or_default();
                let branch = scene.application(*agent).branch();
                let after = scene.remote.again(branch, answer.position, before);
                self.reached.insert(*agent, after.unwrap_or(answer.position));
                hold(after.is_some(), || {
                    let after = answer.position;
                    format!("agent {agent} went from place {before} of its branch to place {after}")
                })
            }
            _ => Ok(()),
        }
    }
}
