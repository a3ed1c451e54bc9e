//! `GET /bus/status`: everything an operator looks at, on one page.

use std::cmp::Reverse;
use std::collections::HashMap;

use contract::ServerStatus;
use contract::status::{ApplicationStatus, BusStatus, CommitCount, HeadStatus};

use super::link;
use super::state::Actuator;
use crate::change::clock;
use crate::change::delivery::census::{Application, Standing};
use crate::store;

/// Heads, and applications, that are listed.
const LISTED: usize = 200;
/// Broken files of one head that are listed.
const FILES: usize = 20;
/// Commits of one application that are listed.
const COMMITS: usize = 5;
/// Agents of the newest round that are listed: so many who say why, and so many who are silent.
const AGENTS: usize = 20;

impl Actuator {
    /// The whole page.
    #[must_use]
    pub fn status(&self) -> ServerStatus {
        let time = clock::now();
        let settings = self.change.settings();
        let drift_after = clock::millis(settings.drift_after);
        let heads = self.store.heads().into_iter().map(head).collect();
        let (heads, more_heads) = bounded(heads, HeadStatus::is_faulty);
        let (applications, more_applications) = bounded(self.applications(time), |application| {
            application.is_faulty(drift_after)
        });
        ServerStatus {
            bus_id: settings.bus_id.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            time,
            ready: self.is_ready(),
            heads,
            more_heads,
            bus: self.bus_status(time),
            applications,
            more_applications,
            drift_after,
            round: self.change.delivery().newest(AGENTS),
        }
    }

    fn bus_status(&self, time: u64) -> BusStatus {
        let state = self.bus.as_ref().map(|bus| bus.borrow().clone());
        let hearing = self.hearing.as_ref().map(|hearing| hearing.borrow().clone());
        let progress = self.change.progress();
        let reason = [&state, &hearing].into_iter().flatten().find_map(link::reason);
        BusStatus {
            state: state.as_ref().map_or("off", link::name).to_owned(),
            reason: reason.map(str::to_owned),
            hearing: hearing.as_ref().map(|hearing| link::name(hearing).to_owned()),
            queued: progress.queued,
            oldest: progress.oldest.map(|made| time.saturating_sub(made)),
        }
    }

    fn applications(&self, time: u64) -> Vec<ApplicationStatus> {
        let delivery = self.change.delivery();
        let mut since: HashMap<String, u64> = HashMap::new();
        for drift in delivery.drift(time) {
            let first = since.entry(drift.application).or_insert(drift.since);
            *first = drift.since.min(*first);
        }
        let applications = delivery.applications(time).into_iter();
        applications
            .filter(|(_, application)| application.members.present() + application.members.count(Standing::Away) > 0)
            .map(|(name, application)| {
                let drift = since.get(&name).map(|since| time.saturating_sub(*since));
                described(name, &application, drift)
            })
            .collect()
    }
}

fn head(head: store::HeadStatus) -> HeadStatus {
    HeadStatus {
        repository: head.repository.to_string(),
        label: head.label,
        commit: head.commit,
        age: head.age.as_secs(),
        error: head.error,
        broken: head.broken.iter().take(FILES).map(ToString::to_string).collect(),
    }
}

fn described(name: String, application: &Application, drift: Option<u64>) -> ApplicationStatus {
    let count = |standing| application.members.count(standing);
    let counts = application.commits.iter().map(|(commit, agents)| CommitCount {
        commit: commit.clone(),
        agents: *agents,
    });
    let mut commits: Vec<CommitCount> = counts.collect();
    commits.sort_by(|a, b| (Reverse(a.agents), a.commit.as_str()).cmp(&(Reverse(b.agents), b.commit.as_str())));
    commits.truncate(COMMITS);
    ApplicationStatus {
        application: name,
        agents: application.members.present(),
        failed: count(Standing::Failed),
        vetoed: count(Standing::Vetoed),
        away: count(Standing::Away),
        commits,
        drift,
    }
}

/// At most so many as are listed, the faulty ones before the others then, and how many are left out.
fn bounded<T>(mut all: Vec<T>, is_faulty: impl Fn(&T) -> bool) -> (Vec<T>, usize) {
    let more = all.len().saturating_sub(LISTED);
    if more > 0 {
        all.sort_by_key(|one| !is_faulty(one));
        all.truncate(LISTED);
    }
    (all, more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_bounded_and_keeps_what_is_faulty() {
        assert_eq!(bounded(vec![1, 2, 3], |n| *n == 3), (vec![1, 2, 3], 0));
        let (listed, more) = bounded((0..1_000).collect(), |n| *n == 999);
        assert_eq!((listed.len(), more), (LISTED, 800));
        assert_eq!(listed[..3], [999, 0, 1]);
    }
}
