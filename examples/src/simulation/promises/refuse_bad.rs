//! Promise 7: a commit in which a file of an application is broken never reaches that application, and
//! everybody else moves on. What an application refuses does not become live.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use contract::{Outcome, Report};

use super::{Promise, Scene, Verdict, hold};
use crate::simulation::fact::{Answer, Fact};
use crate::simulation::remote::number;

#[derive(Debug, Default)]
pub(super) struct RefuseBad {
    /// What each application refused, until it is asked again.
    refused: BTreeMap<usize, Arc<Answer>>,
    /// Agents whose last report said that all is well, and whose application has refused since.
    silent: BTreeSet<usize>,
    /// Agents whose last report said that all is not well.
    unwell: BTreeSet<usize>,
}

impl Promise for RefuseBad {
    fn see(&mut self, scene: &Scene<'_>, fact: &Fact) -> Verdict {
        match fact {
            Fact::Answered { agent, answer, .. } => is_good(scene, *agent, answer),
            Fact::Began { agent } | Fact::Ended { agent } => {
                self.silent.remove(agent);
                self.unwell.remove(agent);
                Ok(())
            }
            Fact::Offered { agent, .. } => {
                self.refused.remove(agent);
                Ok(())
            }
            Fact::Refused { agent, answer } => {
                self.refused.insert(*agent, answer.clone());
                if !self.unwell.contains(agent) {
                    self.silent.insert(*agent);
                }
                Ok(())
            }
            Fact::Live { agent, answer, .. } => {
                let refused = self.refused.get(agent);
                hold(refused.is_none_or(|refused| !Arc::ptr_eq(refused, answer)), || {
                    format!("agent {agent} makes live what its application refused")
                })
            }
            Fact::Reported { agent, report, .. } => self.says_so(*agent, report),
            _ => Ok(()),
        }
    }
}

impl RefuseBad {
    /// A refusal is reported, with the reason, unless the servers know already that all is not well.
    fn says_so(&mut self, agent: usize, report: &Report) -> Verdict {
        let unwell = matches!(report.outcome, Outcome::Vetoed | Outcome::Failed) && report.reason.is_some();
        if unwell {
            self.unwell.insert(agent);
        } else {
            self.unwell.remove(&agent);
        }
        hold(unwell || !self.silent.remove(&agent), || {
            format!("agent {agent} refuses, and reports {:?}", report.outcome)
        })?;
        self.silent.remove(&agent);
        Ok(())
    }
}

/// The served commit is good for the application, and it is the head's unless the head is not.
fn is_good(scene: &Scene<'_>, agent: usize, answer: &Answer) -> Verdict {
    let reads = scene.application(agent).reads;
    let commit = answer.revision.commit().map(|commit| number(&commit));
    let commit = commit.ok_or("no commit is named")?;
    hold(scene.remote.expected(commit, reads).is_some(), || {
        format!("agent {agent} is answered with c{commit}, where a file it reads is broken")
    })?;
    let Some(held) = answer.held.as_ref().map(number) else {
        return Ok(());
    };
    hold(scene.remote.expected(held, reads).is_none(), || {
        format!("c{held} is held back from agent {agent}, for which it is good")
    })
}
