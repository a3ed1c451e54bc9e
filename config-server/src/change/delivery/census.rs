//! How the members stand, counted.

use std::collections::{BTreeMap, HashMap};

use contract::report::Outcome;
use contract::{AgentStatus, CommitId};

/// How a member stands by what it said last, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It runs what it should, as far as it knows.
    Well,
    /// It could not fetch or apply.
    Failed,
    /// Its application refused.
    Vetoed,
    /// It stopped in good order.
    Stopped,
    /// It was not heard of for `config-bus.agent-ttl`.
    Away,
}

/// Members by how they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Census([usize; Standing::ALL.len()]);

/// The members of one application.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Application {
    pub members: Census,
    /// What those who are there run, and how many of them do.
    pub commits: HashMap<CommitId, usize>,
}

/// Applications by name; the one without a name is Spring's.
pub type Applications = BTreeMap<String, Application>;

impl Standing {
    pub const ALL: [Self; 5] = [Self::Well, Self::Failed, Self::Vetoed, Self::Stopped, Self::Away];

    /// How `status` stands for somebody who counts as away when last seen before `fresh`.
    #[must_use]
    pub fn of(status: &AgentStatus, fresh: u64) -> Self {
        match status.outcome {
            Outcome::Stopped => Self::Stopped,
            _ if status.last_seen < fresh => Self::Away,
            Outcome::Failed => Self::Failed,
            Outcome::Vetoed => Self::Vetoed,
            _ => Self::Well,
        }
    }

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Well => "well",
            Self::Failed => "failed",
            Self::Vetoed => "vetoed",
            Self::Stopped => "stopped",
            Self::Away => "away",
        }
    }

    fn is_there(self) -> bool {
        !matches!(self, Self::Stopped | Self::Away)
    }
}

impl Census {
    #[must_use]
    pub fn count(&self, standing: Standing) -> usize {
        self.0[standing as usize]
    }

    /// Those who are there.
    #[must_use]
    pub fn present(&self) -> usize {
        let present = Standing::ALL.into_iter().filter(|standing| standing.is_there());
        present.map(|standing| self.count(standing)).sum()
    }

    fn add(&mut self, standing: Standing) {
        self.0[standing as usize] += 1;
    }
}

/// Counts `members`, of whom those last seen before `fresh` are away.
pub fn total<'a>(members: impl Iterator<Item = &'a AgentStatus>, fresh: u64) -> Census {
    let mut census = Census::default();
    members.for_each(|status| census.add(Standing::of(status, fresh)));
    census
}

/// The same by application.
pub fn by_application<'a>(members: impl Iterator<Item = &'a AgentStatus>, fresh: u64) -> Applications {
    let mut applications = Applications::new();
    for status in members {
        let standing = Standing::of(status, fresh);
        if !applications.contains_key(&status.application) {
            applications.insert(status.application.clone(), Application::default());
        }
        let application = applications.get_mut(&status.application).expect("it is there by now");
        application.members.add(standing);
        if let Some(commit) = status.commit.as_ref().filter(|_| standing.is_there()) {
            *application.commits.entry(commit.clone()).or_default() += 1;
        }
    }
    applications
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(application: &str, outcome: Outcome, last_seen: u64, commit: Option<char>) -> AgentStatus {
        AgentStatus {
            bus_id: "orders:1:a".parse().expect("an id"),
            application: application.to_owned(),
            profiles: Vec::new(),
            label: None,
            commit: commit.map(|digit| digit.to_string().repeat(40).parse().expect("a commit")),
            digest: None,
            outcome,
            reason: None,
            last_seen,
        }
    }

    #[test]
    fn a_member_stands_as_it_said_last_unless_that_is_long_ago() {
        for (outcome, last_seen, standing) in [
            (Outcome::Applied, 10, Standing::Well),
            (Outcome::Unchanged, 10, Standing::Well),
            (Outcome::Failed, 10, Standing::Failed),
            (Outcome::Vetoed, 10, Standing::Vetoed),
            (Outcome::Stopped, 10, Standing::Stopped),
            (Outcome::Applied, 9, Standing::Away),
            (Outcome::Failed, 9, Standing::Away),
            (Outcome::Stopped, 9, Standing::Stopped),
        ] {
            let status = status("orders", outcome, last_seen, None);
            assert_eq!(Standing::of(&status, 10), standing, "{outcome:?} at {last_seen}");
        }
    }

    #[test]
    fn applications_are_counted_apart_with_what_those_who_are_there_run() {
        let members = [
            status("orders", Outcome::Applied, 10, Some('a')),
            status("orders", Outcome::Failed, 10, Some('a')),
            status("orders", Outcome::Applied, 10, Some('b')),
            status("orders", Outcome::Applied, 1, Some('c')),
            status("", Outcome::Applied, 10, None),
        ];
        let all = total(members.iter(), 10);
        assert_eq!((all.present(), all.count(Standing::Away)), (4, 1));
        let applications = by_application(members.iter(), 10);
        let orders = &applications["orders"];
        assert_eq!(
            (orders.members.present(), orders.members.count(Standing::Failed)),
            (3, 1)
        );
        let mut counts: Vec<usize> = orders.commits.values().copied().collect();
        counts.sort_unstable();
        assert_eq!(counts, [1, 2]);
        assert_eq!(applications[""].members.present(), 1);
    }
}
