//! Everything behind the lock: agents, rounds, and what is not written down yet.

use std::collections::HashMap;

use contract::report::{MAX_EVENTS, Outcome};
use contract::{AgentStatus, BusId, EventId, Report};

use super::Member;
use super::ack::Ack;
use super::agents::Agents;
use super::round::{Answer, Rounds};
use super::tally::Tally;
use crate::change::journal::{AgentRow, AnswerRow, StoredEvent};

/// Answers that wait to be written while the journal cannot be. Past it they are in memory only.
const UNWRITTEN: usize = 100_000;

#[derive(Debug)]
pub(super) struct State {
    pub(super) agents: Agents,
    pub(super) rounds: Rounds,
    pub(super) tally: Tally,
    answers: Vec<AnswerRow>,
    statuses: HashMap<BusId, AgentRow>,
}

impl State {
    pub(super) fn new(agents: Agents) -> Self {
        Self {
            agents,
            rounds: Rounds::default(),
            tally: Tally::default(),
            answers: Vec::new(),
            statuses: HashMap::new(),
        }
    }

    pub(super) fn expect(&mut self, event: &StoredEvent) {
        let expected = self.agents.concerned(&event.message, event.created);
        for member in self.rounds.expect(event, expected) {
            self.write(silent(event.id(), &member));
        }
    }

    pub(super) fn heard(&mut self, report: &Report, time: u64) {
        let (status, forgotten) = self.agents.heard(report, time);
        let member = self.agents.member(&report.bus_id);
        let answer = Answer {
            outcome: report.outcome,
            commit: report.commit.clone(),
            digest: status.digest.clone(),
            reason: status.reason.clone(),
            time,
        };
        self.note(status, forgotten);
        let asked = report.asked_ago.map(|ago| time.saturating_sub(ago));
        for id in answered(&mut self.rounds, report, &member, asked) {
            self.answer(&id, &member, answer.clone());
        }
    }

    pub(super) fn acked(&mut self, ack: &Ack<'_>, time: u64) {
        let (status, forgotten) = self.agents.acked(&ack.origin, time);
        let member = self.agents.member(&ack.origin);
        self.note(status, forgotten);
        if ack.is_of_shutdown() {
            return;
        }
        // An ack without an id is taken for the newest event that may be meant and is not answered:
        // early by one event at worst, where the oldest would stay wrong for ever after one ack
        // that was never sent.
        let id = ack.event.cloned().or_else(|| {
            let mut newest = self.rounds.newest();
            let round = newest.find(|round| ack.fits(&round.event().message.event) && !round.has_answer(&member))?;
            Some(round.event().id().clone())
        });
        let Some(id) = id else { return };
        let answer = Answer {
            outcome: Outcome::Applied,
            commit: None,
            digest: None,
            reason: None,
            time,
        };
        self.answer(&id, &member, answer);
    }

    /// Takes out what is to be written down.
    pub(super) fn take_unwritten(&mut self) -> (Vec<AnswerRow>, Vec<AgentRow>) {
        let statuses = std::mem::take(&mut self.statuses);
        (std::mem::take(&mut self.answers), statuses.into_values().collect())
    }

    /// Puts back what could not be written down; what is newer stays.
    pub(super) fn put_back(&mut self, mut answers: Vec<AnswerRow>, statuses: Vec<AgentRow>) {
        std::mem::swap(&mut self.answers, &mut answers);
        answers.into_iter().for_each(|row| self.write(row));
        for row in statuses {
            self.statuses.entry(row.bus_id().clone()).or_insert(row);
        }
    }

    fn answer(&mut self, id: &EventId, member: &Member, answer: Answer) {
        let row = AnswerRow {
            event: id.clone(),
            bus_id: (**member).clone(),
            outcome: Some(answer.outcome),
            commit: answer.commit.clone(),
            digest: answer.digest.clone(),
            reason: answer.reason.clone(),
            answered: Some(answer.time),
        };
        let Some(round) = self.rounds.find(id) else {
            return self.write(row);
        };
        let took = answer.time.saturating_sub(round.event().created);
        let outcome = answer.outcome;
        if round.answer(member.clone(), answer) {
            self.tally.add(outcome, took);
            self.write(row);
        }
    }

    fn note(&mut self, status: AgentStatus, forgotten: Option<BusId>) {
        self.statuses.insert(status.bus_id.clone(), AgentRow::Known(status));
        if let Some(id) = forgotten {
            self.statuses.insert(id.clone(), AgentRow::Gone(id));
        }
    }

    fn write(&mut self, row: AnswerRow) {
        if self.answers.len() < UNWRITTEN {
            self.answers.push(row);
        }
    }
}

/// The events a report answers: those it names; those that it meets without having heard of them, be
/// it that the agent failed before; and, when it stops, all that wait for it.
fn answered(rounds: &mut Rounds, report: &Report, member: &Member, asked: Option<u64>) -> Vec<EventId> {
    let mut ids: Vec<EventId> = report.events.iter().take(MAX_EVENTS).cloned().collect();
    for round in rounds.newest() {
        let waits = round.awaits(member);
        let recovers = !matches!(report.outcome, Outcome::Failed | Outcome::Stopped) && round.has_failed(member);
        let meets = (waits || recovers) && round.is_met_by(report, asked);
        let stops = waits && report.outcome == Outcome::Stopped;
        if (meets || stops) && !ids.contains(round.event().id()) {
            ids.push(round.event().id().clone());
        }
    }
    ids
}

fn silent(event: &EventId, member: &Member) -> AnswerRow {
    AnswerRow {
        event: event.clone(),
        bus_id: (**member).clone(),
        outcome: None,
        commit: None,
        digest: None,
        reason: None,
        answered: None,
    }
}
