//! Starts without a server.

use std::time::SystemTime;

use tracing::warn;

use super::Task;
use crate::agent::offer::Served;
use crate::agent::starting::Verdict;
use crate::apply::Applier;
use crate::causes::explain;
use crate::last_known_good::Remembered;
use crate::reconcile::{Failed, Input, Looked};

impl<A: Applier> Task<A> {
    /// The time for the start is up, and nothing is live.
    pub(super) fn start_is_late(&mut self) -> Vec<Input> {
        let Some(starting) = &mut self.starting else {
            return Vec::new();
        };
        let verdict = starting.is_late();
        let mut inputs = Vec::new();
        if self.fetching.take().is_some() {
            inputs.push(Input::Looked(Looked::Failed(Failed {
                reason: "no answer came within the time for the start".to_owned(),
                retry_after: None,
                behind: false,
            })));
        }
        inputs.extend(self.follow_verdict(verdict));
        inputs
    }

    /// Offers what a start without a server can use.
    pub(super) fn follow_verdict(&mut self, verdict: Verdict) -> Option<Input> {
        let remembered = match verdict {
            Verdict::Wait | Verdict::GiveUp => return None,
            Verdict::Remembered | Verdict::Anything => self.recall(),
        };
        let served = match remembered {
            Some(remembered) => {
                warn!(
                    commit.id = remembered.answer.revision.version,
                    age_seconds = remembered.age(SystemTime::now()).as_secs(),
                    "starting from the last known good configuration"
                );
                self.state.send_modify(|state| state.confirmed = Some(remembered.saved));
                Served::by_memory(remembered.answer)
            }
            None if matches!(verdict, Verdict::Anything) => {
                warn!("starting without a configuration from a server");
                Served::nothing(&self.follows)
            }
            None => return None,
        };
        Some(Input::Local(self.offers.offer(served)))
    }

    fn recall(&mut self) -> Option<Remembered> {
        match self.memory.as_ref()?.place().recall() {
            Ok(remembered) => remembered,
            Err(error) => {
                warn!(error = %explain(&error), "the last known good configuration is not used");
                None
            }
        }
    }
}
