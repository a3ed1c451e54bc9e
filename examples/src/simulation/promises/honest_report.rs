//! Promise 10: a report says what is live, after it is live; and what a server tells of an agent is what
//! that agent reported.

use std::collections::BTreeSet;

use contract::{BusId, Outcome};

use super::{Promise, Scene, Verdict, hold};
use crate::simulation::fact::{Answer, Fact};

#[derive(Debug, Default)]
pub(super) struct HonestReport {
    said: BTreeSet<(BusId, Option<String>)>,
}

impl Promise for HonestReport {
    fn see(&mut self, _: &Scene<'_>, fact: &Fact) -> Verdict {
        match fact {
            Fact::Reported { agent, report, live } => {
                self.said.insert((report.bus_id.clone(), report.digest.clone()));
                let digest = live.as_ref().map(|live| &live.revision.digest);
                let commit = live
                    .as_ref()
                    .and_then(|live: &std::sync::Arc<Answer>| live.revision.commit());
                hold(report.digest.as_ref() == digest && report.commit == commit, || {
                    format!("agent {agent} reports {:?} while it has {commit:?}", report.commit)
                })?;
                let nothing = report.outcome == Outcome::Applied && live.is_none();
                hold(!nothing, || {
                    format!("agent {agent} reports as applied what is not live")
                })
            }
            Fact::Told { server, status } => {
                let said = (status.bus_id.clone(), status.digest.clone());
                hold(self.said.contains(&said), || {
                    format!("server {server} says of {} what it never reported", status.bus_id)
                })
            }
            _ => Ok(()),
        }
    }
}
