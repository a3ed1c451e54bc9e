//! Agents that should run the same configuration, and do not.

use std::collections::HashMap;

use contract::AgentStatus;
use contract::report::Outcome;
use serde::Serialize;

/// Agents of one application, profiles and label on different digests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Drift {
    pub application: String,
    pub profiles: Vec<String>,
    pub label: Option<String>,
    /// How many configurations they run.
    pub digests: usize,
    /// How many they are.
    pub agents: usize,
    /// Since when, milliseconds since 1970.
    pub since: u64,
}

/// Agents by what they fetch.
#[derive(Debug, Default)]
pub(super) struct Fleet {
    groups: HashMap<Fetched, Group>,
}

/// What a group of agents fetches: application, profiles, label.
type Fetched = (String, Vec<String>, Option<String>);

#[derive(Debug, Default)]
struct Group {
    digests: HashMap<String, usize>,
    since: Option<u64>,
}

impl Fleet {
    /// An agent runs what `status` says.
    pub(super) fn joined(&mut self, status: &AgentStatus) {
        let Some((fetched, digest)) = running(status) else {
            return;
        };
        let group = self.groups.entry(fetched).or_default();
        *group.digests.entry(digest.to_owned()).or_default() += 1;
        if group.digests.len() > 1 {
            group.since.get_or_insert(status.last_seen);
        } else {
            group.since = None;
        }
    }

    /// It does not any more. The time a group has drifted goes on until an agent joins and finds it
    /// of one mind, so that a report which changes nothing does not begin it anew.
    pub(super) fn left(&mut self, status: &AgentStatus) {
        let Some((fetched, digest)) = running(status) else {
            return;
        };
        let Some(group) = self.groups.get_mut(&fetched) else {
            return;
        };
        if let Some(count) = group.digests.get_mut(digest) {
            *count -= 1;
            if *count == 0 {
                group.digests.remove(digest);
            }
        }
        if group.digests.is_empty() && group.since.is_none() {
            self.groups.remove(&fetched);
        }
    }

    /// It was not heard of for long. When the others are of one mind the drift is over.
    pub(super) fn lost(&mut self, status: &AgentStatus) {
        self.left(status);
        let group = running(status).and_then(|(fetched, _)| self.groups.get_mut(&fetched));
        if let Some(group) = group
            && group.digests.len() <= 1
        {
            group.since = None;
        }
    }

    pub(super) fn drift(&self) -> Vec<Drift> {
        let drifting = self.groups.iter().filter(|(_, group)| group.digests.len() > 1);
        let mut drift: Vec<Drift> = drifting
            .map(|((application, profiles, label), group)| Drift {
                application: application.clone(),
                profiles: profiles.clone(),
                label: label.clone(),
                digests: group.digests.len(),
                agents: group.digests.values().sum(),
                since: group.since.unwrap_or_default(),
            })
            .collect();
        drift.sort_by(|a, b| (&a.application, &a.profiles).cmp(&(&b.application, &b.profiles)));
        drift
    }
}

/// What the agent fetches and what it runs; nothing for one that has stopped, or is Spring's.
fn running(status: &AgentStatus) -> Option<(Fetched, &str)> {
    if status.outcome == Outcome::Stopped {
        return None;
    }
    let digest = status.digest.as_deref()?;
    let fetched = (
        status.application.clone(),
        status.profiles.clone(),
        status.label.clone(),
    );
    Some((fetched, digest))
}
