//! One event and the answers to it.

use std::collections::{BTreeMap, VecDeque};

use contract::delivery::{AgentDelivery, EventState, Summary};
use contract::latency::is_answer;
use contract::report::Outcome;
use contract::{Affects, CommitId, DeliveryReport, Destination, EventId, EventKind, Latency, Report};

use super::Member;
use crate::change::journal::{AnswerRow, StoredEvent};

/// Rounds that are taken up again at a start.
pub const RECALLED: usize = 4;
/// Rounds in memory; later answers to older ones go to the journal alone.
const ROUNDS: usize = 64;
/// Members over all rounds in memory, but for the newest round.
const MEMBERS: usize = 40_000;

/// One event and who answers it.
#[derive(Debug)]
pub struct Round {
    event: StoredEvent,
    /// Everybody who is expected to answer or did. `None` while silent.
    members: BTreeMap<Member, Option<Answer>>,
    silent: usize,
}

/// What one member answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub outcome: Outcome,
    pub commit: Option<CommitId>,
    pub digest: Option<String>,
    pub reason: Option<String>,
    /// Milliseconds since 1970.
    pub time: u64,
}

/// The newest rounds, oldest first.
#[derive(Debug, Default)]
pub struct Rounds {
    open: VecDeque<Round>,
}

impl Round {
    /// Nobody has answered yet.
    #[must_use]
    pub fn new(event: StoredEvent, expected: impl IntoIterator<Item = Member>) -> Self {
        let members: BTreeMap<_, _> = expected.into_iter().map(|member| (member, None)).collect();
        let silent = members.len();
        Self { event, members, silent }
    }

    /// A round as the journal remembers it.
    #[must_use]
    pub fn recalled(event: StoredEvent, answers: Vec<AnswerRow>) -> Self {
        let mut round = Self::new(event, []);
        for row in answers {
            let answer = row.outcome.map(|outcome| Answer {
                outcome,
                commit: row.commit,
                digest: row.digest,
                reason: row.reason,
                time: row.answered.unwrap_or_default(),
            });
            round.silent += usize::from(answer.is_none());
            round.members.insert(row.bus_id.into(), answer);
        }
        round
    }

    /// Expects those of `members` who are not in the round yet: the answer.
    fn expect(&mut self, members: Vec<Member>) -> Vec<Member> {
        let mut added = members;
        added.retain(|member| !self.members.contains_key(member));
        self.silent += added.len();
        self.members.extend(added.iter().map(|member| (member.clone(), None)));
        added
    }

    #[must_use]
    pub fn event(&self) -> &StoredEvent {
        &self.event
    }

    /// Whether `member` is expected and has not answered.
    #[must_use]
    pub fn awaits(&self, member: &Member) -> bool {
        matches!(self.members.get(member), Some(None))
    }

    /// Whether `member` has answered.
    #[must_use]
    pub fn has_answer(&self, member: &Member) -> bool {
        matches!(self.members.get(member), Some(Some(_)))
    }

    /// Whether `member` could not, as far as it has answered.
    #[must_use]
    pub fn has_failed(&self, member: &Member) -> bool {
        let answer = self.members.get(member).and_then(Option::as_ref);
        answer.is_some_and(|answer| answer.outcome == Outcome::Failed)
    }

    /// Whether `report` says of its own accord what the event asks for; `asked` is when its agent
    /// began to ask the servers the last time, in milliseconds since 1970.
    ///
    /// Who runs the commit of a move needs no notice of it any more. An event that names none asks
    /// for a look: every look since it was on the bus is one, however it ended.
    #[must_use]
    pub fn is_met_by(&self, report: &Report, asked: Option<u64>) -> bool {
        match &self.event.message.notice {
            Some(notice) => {
                let runs = matches!(report.outcome, Outcome::Applied | Outcome::Unchanged);
                runs && report.commit.as_ref() == Some(&notice.to)
            }
            None => {
                let calls = self.event.message.event.kind == EventKind::Refresh;
                let times = self.event.published.zip(asked);
                calls && times.is_some_and(|(published, asked)| asked >= published)
            }
        }
    }

    /// Takes an answer; whether it says anything new. That nothing had to be done the second time
    /// does not undo what was done the first time.
    pub fn answer(&mut self, member: Member, answer: Answer) -> bool {
        let known = self.members.get(&member);
        if let Some(Some(known)) = known
            && matches!(answer.outcome, Outcome::Unchanged | Outcome::Stopped)
            && known.outcome != Outcome::Failed
        {
            return false;
        }
        self.silent -= usize::from(matches!(known, Some(None)));
        self.members.insert(member, Some(answer));
        true
    }

    /// The report as it stands.
    #[must_use]
    pub fn report(&self) -> DeliveryReport {
        let agents: Vec<AgentDelivery> = self
            .members
            .iter()
            .map(|(member, answer)| self.delivery(member, answer))
            .collect();
        DeliveryReport {
            agents,
            latency: self.latency(),
            ..overview(&self.event, self.summary())
        }
    }

    /// The report with those who did not take it alone, at most `each` who said why and `each` who
    /// are silent.
    #[must_use]
    pub fn outline(&self, each: usize) -> DeliveryReport {
        let refused = self.members.iter().filter(|(_, answer)| has_not_taken(answer.as_ref()));
        let silent = self.members.iter().filter(|(_, answer)| answer.is_none());
        let listed = refused.take(each).chain(silent.take(each));
        DeliveryReport {
            agents: listed.map(|(member, answer)| self.delivery(member, answer)).collect(),
            latency: self.latency(),
            ..overview(&self.event, self.summary())
        }
    }

    fn latency(&self) -> Option<Latency> {
        let answers = self.members.values().flatten();
        let acted = answers.filter(|answer| is_answer(answer.outcome));
        Latency::of(acted.map(|answer| answer.time.saturating_sub(self.event.created)))
    }

    fn delivery(&self, member: &Member, answer: &Option<Answer>) -> AgentDelivery {
        let answer = answer.as_ref();
        AgentDelivery {
            bus_id: (**member).clone(),
            outcome: answer.map(|answer| answer.outcome),
            commit: answer.and_then(|answer| answer.commit.clone()),
            digest: answer.and_then(|answer| answer.digest.clone()),
            millis: answer.map(|answer| answer.time.saturating_sub(self.event.created)),
            reason: answer.and_then(|answer| answer.reason.clone()),
        }
    }

    fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for answer in self.members.values() {
            count(&mut summary, answer.as_ref().map(|answer| answer.outcome), 1);
        }
        summary
    }
}

impl Rounds {
    /// A new round; the oldest ones leave when there are too many.
    pub fn open(&mut self, round: Round) {
        self.open.retain(|open| open.event.id() != round.event.id());
        self.open.push_back(round);
        while self.open.len() > ROUNDS || (self.open.len() > 1 && self.members() > MEMBERS) {
            self.open.pop_front();
        }
    }

    /// Expects `members` to answer `event`; those who were not expected before are the answer. A
    /// peer's event and our own record of the same move are one round: what was answered counts.
    pub fn expect(&mut self, event: &StoredEvent, members: Vec<Member>) -> Vec<Member> {
        if let Some(round) = self.find(event.id()) {
            round.event = event.clone();
            return round.expect(members);
        }
        self.open(Round::new(event.clone(), members.iter().cloned()));
        members
    }

    /// Newest first.
    pub fn newest(&mut self) -> impl Iterator<Item = &mut Round> {
        self.open.iter_mut().rev()
    }

    pub fn published(&mut self, id: &EventId, time: u64) {
        if let Some(round) = self.open.iter_mut().find(|round| round.event.id() == id) {
            round.event.state = EventState::Published;
            round.event.published = Some(time);
        }
    }

    pub fn expired(&mut self, id: &EventId) {
        if let Some(round) = self.open.iter_mut().find(|round| round.event.id() == id) {
            round.event.state = EventState::Expired;
        }
    }

    /// The round of `id`, while it is in memory.
    pub fn find(&mut self, id: &EventId) -> Option<&mut Round> {
        self.open.iter_mut().find(|round| round.event.id() == id)
    }

    #[must_use]
    pub fn report(&self, id: &EventId) -> Option<DeliveryReport> {
        self.get(id).map(Round::report)
    }

    /// The report without its agents.
    #[must_use]
    pub fn overview(&self, id: &EventId) -> Option<DeliveryReport> {
        self.get(id).map(|round| overview(&round.event, round.summary()))
    }

    /// The newest one.
    #[must_use]
    pub fn last(&self) -> Option<&Round> {
        self.open.back()
    }

    /// Those in memory of which more is expected.
    #[must_use]
    pub fn unsettled(&self) -> usize {
        let unsettled = |round: &&Round| !is_settled(round.event.state, round.silent);
        self.open.iter().filter(unsettled).count()
    }

    #[must_use]
    pub fn is_settled(&self, id: &EventId) -> Option<bool> {
        self.get(id).map(|round| is_settled(round.event.state, round.silent))
    }

    fn get(&self, id: &EventId) -> Option<&Round> {
        self.open.iter().find(|round| round.event.id() == id)
    }

    fn members(&self) -> usize {
        self.open.iter().map(|round| round.members.len()).sum()
    }
}

fn has_not_taken(answer: Option<&Answer>) -> bool {
    answer.is_some_and(|answer| matches!(answer.outcome, Outcome::Failed | Outcome::Vetoed))
}

/// Whether nothing more is expected.
#[must_use]
pub fn is_settled(state: EventState, silent: usize) -> bool {
    match state {
        EventState::Queued => false,
        EventState::Expired => true,
        _ => silent == 0,
    }
}

/// The report on an event without its agents.
#[must_use]
pub fn overview(event: &StoredEvent, summary: Summary) -> DeliveryReport {
    let notice = event.message.notice.as_ref();
    let destination = event.message.event.destination.clone();
    DeliveryReport {
        id: event.id().clone(),
        state: event.state,
        cause: event.cause.clone(),
        label: notice.map(|notice| notice.label.clone()),
        commit: notice.map(|notice| notice.to.clone()),
        previous: notice.and_then(|notice| notice.from.clone()),
        destination: destination.unwrap_or_else(|| Destination::received(":**")),
        affects: notice.map_or(Affects::All, |notice| notice.affects.clone()),
        created: event.created,
        published: event.published,
        agents: Vec::new(),
        summary,
        latency: None,
    }
}

/// Adds `number` members with this outcome.
pub fn count(summary: &mut Summary, outcome: Option<Outcome>, number: usize) {
    let counter = match outcome {
        Some(Outcome::Applied) => &mut summary.applied,
        Some(Outcome::Failed) => &mut summary.failed,
        Some(Outcome::Vetoed) => &mut summary.vetoed,
        Some(_) => &mut summary.unchanged,
        None => &mut summary.silent,
    };
    *counter += number;
}

#[cfg(test)]
mod tests;
