//! Promise 2: a running application only ever moves forward, through the places where its branch
//! stood, whichever servers it asks.

use std::collections::BTreeMap;

use super::{Promise, Scene, Verdict, hold};
use crate::simulation::fact::Fact;

#[derive(Debug, Default)]
pub(super) struct NeverBackward {
    /// The place of what each agent has live, as long as its process runs.
    reached: BTreeMap<usize, usize>,
}

impl Promise for NeverBackward {
    fn see(&mut self, _: &Scene<'_>, fact: &Fact) -> Verdict {
        match fact {
            Fact::Began { agent } | Fact::Ended { agent } => {
                self.reached.remove(agent);
                Ok(())
            }
            Fact::Live { agent, answer, .. } => {
                let after = answer.position;
                let before = self.reached.insert(*agent, after).unwrap_or_default();
                hold(before <= after, || {
                    format!("agent {agent} went from place {before} of its branch to place {after}")
                })
            }
            _ => Ok(()),
        }
    }
}
