//! The members of the bus, as known from what they say.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use contract::report::Outcome;
use contract::{Affects, AgentStatus, BusId, EventKind, Message, Profile, Report};

use super::Member;
use super::census::{self, Applications, Census};
use super::drift::{Drift, Fleet};
use super::page::{self, Page, Wanted};
use crate::change::clock::millis;

/// Members that are remembered; past it the one not heard of for longest is forgotten.
pub const LIMIT: usize = 50_000;
/// Bytes of a reason that are kept.
const REASON: usize = 500;
/// Bytes of a digest that are kept.
const DIGEST: usize = 200;

/// The members of the bus.
#[derive(Debug)]
pub struct Agents {
    known: HashMap<Member, AgentStatus>,
    by_age: BTreeSet<(u64, Member)>,
    fleet: Fleet,
    /// Who was last heard of before is not in the fleet any more.
    horizon: u64,
    ttl: u64,
}

impl Agents {
    /// Nobody is known. Who is not heard of for `ttl` is no longer expected to answer.
    #[must_use]
    pub fn new(ttl: Duration) -> Self {
        Self {
            known: HashMap::new(),
            by_age: BTreeSet::new(),
            fleet: Fleet::default(),
            horizon: 0,
            ttl: millis(ttl),
        }
    }

    /// A member as it was remembered.
    pub fn recall(&mut self, status: AgentStatus) {
        self.put(status);
    }

    /// What an agent said of itself. Answers its status, and who was forgotten for it.
    pub fn heard(&mut self, report: &Report, time: u64) -> (AgentStatus, Option<BusId>) {
        let status = AgentStatus {
            bus_id: report.bus_id.clone(),
            application: report.application.to_string(),
            profiles: report.profiles.iter().map(Profile::to_string).collect(),
            label: report.label.as_ref().map(ToString::to_string),
            commit: report.commit.clone(),
            digest: report.digest.as_deref().map(|digest| clipped(digest, DIGEST)),
            outcome: report.outcome,
            reason: report.reason.as_deref().map(|reason| clipped(reason, REASON)),
            last_seen: time,
        };
        let forgotten = self.put(status.clone());
        (status, forgotten)
    }

    /// A Spring application acknowledged something: it is there, and that is all it says.
    pub fn acked(&mut self, bus_id: &BusId, time: u64) -> (AgentStatus, Option<BusId>) {
        let status = AgentStatus {
            bus_id: bus_id.clone(),
            application: String::new(),
            profiles: Vec::new(),
            label: None,
            commit: None,
            digest: None,
            outcome: Outcome::Applied,
            reason: None,
            last_seen: time,
        };
        // One of ours may ack for the sake of mixed fleets: it has told more of itself already.
        let status = match self.known.get(bus_id) {
            Some(own) if !own.application.is_empty() => AgentStatus {
                last_seen: time,
                ..own.clone()
            },
            _ => status,
        };
        let forgotten = self.put(status.clone());
        (status, forgotten)
    }

    /// Who is expected to answer `message`, made at `created`. Nobody, when it asks them to end: who
    /// stays has nothing to say, and of who ends one of ours alone says so on its way out.
    #[must_use]
    pub fn concerned(&self, message: &Message, created: u64) -> Vec<Member> {
        if message.event.kind == EventKind::Shutdown {
            return Vec::new();
        }
        let fresh = self.fresh(created);
        self.known
            .iter()
            .filter(|(_, status)| status.last_seen >= fresh && status.outcome != Outcome::Stopped)
            .filter(|(_, status)| concerns(message, status))
            .map(|(member, _)| member.clone())
            .collect()
    }

    /// The member's own name, shared with the list when it is on it.
    #[must_use]
    pub fn member(&self, bus_id: &BusId) -> Member {
        let known = self.known.get_key_value(bus_id);
        known.map_or_else(|| Arc::new(bus_id.clone()), |(member, _)| member.clone())
    }

    /// Everybody, by bus id.
    #[must_use]
    pub fn list(&self) -> Vec<AgentStatus> {
        let mut list: Vec<AgentStatus> = self.known.values().cloned().collect();
        list.sort_by(|a, b| a.bus_id.cmp(&b.bus_id));
        list
    }

    /// Those that are wanted, as they stand at `now`.
    #[must_use]
    pub fn page(&self, wanted: &Wanted, now: u64) -> Page {
        page::page(self.known.values(), wanted, self.fresh(now))
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.known.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Applications whose members run different configurations at `now`. Who was not heard of for
    /// long may be gone without a word: it does not count.
    pub fn drift(&mut self, now: u64) -> Vec<Drift> {
        let fresh = self.fresh(now).max(self.horizon);
        let in_fleet = self.by_age.iter().skip_while(|(seen, _)| *seen < self.horizon);
        for (_, member) in in_fleet.take_while(|(seen, _)| *seen < fresh) {
            self.fleet.lost(&self.known[member]);
        }
        self.horizon = fresh;
        self.fleet.drift()
    }

    /// Everybody by how they stand at `now`.
    #[must_use]
    pub fn census(&self, now: u64) -> Census {
        census::total(self.known.values(), self.fresh(now))
    }

    /// The same by application.
    #[must_use]
    pub fn applications(&self, now: u64) -> Applications {
        census::by_application(self.known.values(), self.fresh(now))
    }

    /// Who was heard of since then counts as there at `now`.
    fn fresh(&self, now: u64) -> u64 {
        now.saturating_sub(self.ttl)
    }

    fn put(&mut self, status: AgentStatus) -> Option<BusId> {
        let member = self.member(&status.bus_id);
        self.remove(&member);
        if status.last_seen >= self.horizon {
            self.fleet.joined(&status);
        }
        self.by_age.insert((status.last_seen, member.clone()));
        self.known.insert(member, status);
        if self.known.len() <= LIMIT {
            return None;
        }
        let (_, oldest) = self.by_age.first().cloned()?;
        self.remove(&oldest);
        Some((*oldest).clone())
    }

    fn remove(&mut self, member: &Member) {
        if let Some(gone) = self.known.remove(member) {
            self.by_age.remove(&(gone.last_seen, member.clone()));
            if gone.last_seen >= self.horizon {
                self.fleet.left(&gone);
            }
        }
    }
}

/// Whether the member is meant and touched. A Spring application knows nothing of scopes: it
/// answers whatever is addressed to it.
fn concerns(message: &Message, status: &AgentStatus) -> bool {
    let applications: Vec<&str> = status.application.split(',').filter(|name| !name.is_empty()).collect();
    if !message.event.is_for(&status.bus_id, &applications) {
        return false;
    }
    let affects = message.notice.as_ref().map_or(&Affects::All, |notice| &notice.affects);
    applications.is_empty() || affects.covers(&applications, &profiles(status))
}

fn profiles(status: &AgentStatus) -> Vec<&str> {
    if status.profiles.is_empty() {
        return vec!["default"];
    }
    status.profiles.iter().map(String::as_str).collect()
}

/// At most `limit` bytes of `text`, whole characters.
pub(super) fn clipped(text: &str, limit: usize) -> String {
    let ends = text.char_indices().map(|(at, c)| at + c.len_utf8());
    let end = ends.take_while(|end| *end <= limit).last().unwrap_or(0);
    text[..end].to_owned()
}
