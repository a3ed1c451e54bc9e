//! Promise 2: a running application only ever moves forward, through the places where its branch
//! stood, as far as one server has seen them.

use std::collections::BTreeMap;

use super::{Promise, Scene, Verdict, hold};
use crate::simulation::fact::Fact;

#[derive(Debug, Default)]
pub(super) struct NeverBackward {
    /// The server and the place of what each agent has live, as long as its process runs.
    reached: BTreeMap<usize, (usize, usize)>,
}

impl Promise for NeverBackward {
    fn see(&mut self, _: &Scene<'_>, fact: &Fact) -> Verdict {
        match fact {
            Fact::Began { agent } | Fact::Ended { agent } => {
                self.reached.remove(agent);
                Ok(())
            }
            Fact::Live { agent, answer, .. } => {
                let (server, after) = (answer.server, answer.position);
                let before = self.reached.insert(*agent, (server, after)).unwrap_or((server, 0));
                hold(before.0 != server || before.1 <= after, || {
                    format!(
                        "agent {agent} went from place {} of its branch to place {after}",
                        before.1
                    )
                })
            }
            _ => Ok(()),
        }
    }
}
