//! Promise 8: what became live is written down before it is reported, and a start while no server
//! answers finds it.

use std::collections::BTreeMap;
use std::sync::Arc;

use contract::Outcome;

use super::{Promise, Scene, Verdict, hold};
use crate::simulation::fact::{Answer, Fact};

#[derive(Debug, Default)]
pub(super) struct LastKnownGood {
    written: BTreeMap<usize, Arc<Answer>>,
}

impl Promise for LastKnownGood {
    fn see(&mut self, _: &Scene<'_>, fact: &Fact) -> Verdict {
        match fact {
            Fact::Remembered { agent, answer } => {
                self.written.insert(*agent, answer.clone());
                Ok(())
            }
            Fact::FellBack { agent, found } => hold(self.written.get(agent) == found.as_ref(), || {
                format!("agent {agent} did not find what it had written down")
            }),
            Fact::Reported { agent, report, live } if report.outcome == Outcome::Applied => {
                hold(self.written.get(agent) == live.as_ref(), || {
                    format!("agent {agent} reports what it has not written down")
                })
            }
            _ => Ok(()),
        }
    }
}
