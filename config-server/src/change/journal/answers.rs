//! What agents answered, and the agents themselves: the part of the reports that outlives the
//! process.

use std::collections::HashMap;

use contract::delivery::Summary;
use contract::report::Outcome;
use contract::{AgentStatus, BusId, CommitId, EventId};
use rusqlite::{Row, Transaction, params};
use serde_json::{Value, from_value, json};

use super::error::JournalError;
use super::moves::parsed;
use super::thread::Journal;
use crate::change::delivery::round;

/// One member and one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerRow {
    pub event: EventId,
    pub bus_id: BusId,
    /// `None`: it was expected to answer and has not.
    pub outcome: Option<Outcome>,
    pub commit: Option<CommitId>,
    pub digest: Option<String>,
    pub reason: Option<String>,
    /// Milliseconds since 1970.
    pub answered: Option<u64>,
}

/// One member of the bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgentRow {
    Known(AgentStatus),
    /// It is to be forgotten.
    Gone(BusId),
}

impl AgentRow {
    #[must_use]
    pub fn bus_id(&self) -> &BusId {
        match self {
            Self::Known(status) => &status.bus_id,
            Self::Gone(id) => id,
        }
    }
}

impl Journal {
    /// Writes down what was heard. Answers to events that are not known any more are dropped.
    ///
    /// # Errors
    /// [`JournalError`]; nothing is written then.
    pub async fn heard(&self, answers: Vec<AnswerRow>, agents: Vec<AgentRow>) -> Result<(), JournalError> {
        self.transact("write down reports", move |tx| {
            answers.iter().try_for_each(|answer| save_answer(tx, answer))?;
            agents.iter().try_for_each(|agent| save_agent(tx, agent))
        })
        .await
    }

    /// The answers to the event `id`, by bus id.
    ///
    /// # Errors
    /// [`JournalError`] when they cannot be read.
    pub async fn answers(&self, id: &EventId) -> Result<Vec<AnswerRow>, JournalError> {
        let id = id.clone();
        self.transact("read a delivery report", move |tx| {
            tx.prepare_cached(
                "SELECT bus_id, outcome, commit_id, digest, reason, answered FROM answers
                 WHERE event = (SELECT number FROM events WHERE id = ?1) ORDER BY bus_id",
            )?
            .query_map([id.as_str()], |row| answer(row, &id))?
            .collect()
        })
        .await
    }

    /// How the newest `limit` events were answered, by number.
    ///
    /// # Errors
    /// [`JournalError`] when they cannot be read.
    pub async fn summaries(&self, limit: usize) -> Result<HashMap<u64, Summary>, JournalError> {
        self.transact("count the answers", move |tx| {
            let mut summaries = HashMap::new();
            let mut counts = tx.prepare_cached(
                "SELECT event, outcome, COUNT(*) FROM answers
                 WHERE event IN (SELECT number FROM events ORDER BY number DESC LIMIT ?1) GROUP BY event, outcome",
            )?;
            let mut rows = counts.query([limit])?;
            while let Some(row) = rows.next()? {
                let summary = summaries.entry(row.get(0)?).or_default();
                round::count(summary, row.get::<_, Option<String>>(1)?.and_then(outcome), row.get(2)?);
            }
            Ok(summaries)
        })
        .await
    }

    /// The members that are remembered, those heard of last first, at most `limit`.
    ///
    /// # Errors
    /// [`JournalError`] when they cannot be read.
    pub async fn agents(&self, limit: usize) -> Result<Vec<AgentStatus>, JournalError> {
        let texts: Vec<String> = self
            .transact("read the agents", move |tx| {
                tx.prepare_cached("SELECT status FROM agents ORDER BY seen DESC LIMIT ?1")?
                    .query_map([limit], |row| row.get(0))?
                    .collect()
            })
            .await?;
        // One that an older version wrote otherwise is heard of again soon.
        Ok(texts
            .iter()
            .filter_map(|text| serde_json::from_str(text).ok())
            .collect())
    }
}

fn save_answer(tx: &Transaction<'_>, answer: &AnswerRow) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO answers (event, bus_id, outcome, commit_id, digest, reason, answered)
         SELECT number, ?2, ?3, ?4, ?5, ?6, ?7 FROM events WHERE id = ?1
         ON CONFLICT (event, bus_id) DO UPDATE SET outcome = excluded.outcome, commit_id = excluded.commit_id,
             digest = excluded.digest, reason = excluded.reason, answered = excluded.answered
         WHERE excluded.outcome IS NOT NULL",
    )?
    .execute(params![
        answer.event.as_str(),
        answer.bus_id.as_str(),
        answer.outcome.map(|outcome| json!(outcome).as_str().map(str::to_owned)),
        answer.commit.as_ref().map(CommitId::as_str),
        answer.digest,
        answer.reason,
        answer.answered
    ])?;
    Ok(())
}

fn save_agent(tx: &Transaction<'_>, agent: &AgentRow) -> rusqlite::Result<()> {
    match agent {
        AgentRow::Known(status) => tx
            .prepare_cached("INSERT OR REPLACE INTO agents (bus_id, status, seen) VALUES (?1, ?2, ?3)")?
            .execute(params![
                status.bus_id.as_str(),
                json!(status).to_string(),
                status.last_seen
            ])?,
        AgentRow::Gone(id) => tx
            .prepare_cached("DELETE FROM agents WHERE bus_id = ?1")?
            .execute([id.as_str()])?,
    };
    Ok(())
}

fn answer(row: &Row<'_>, event: &EventId) -> rusqlite::Result<AnswerRow> {
    let word: Option<String> = row.get(1)?;
    let commit: Option<String> = row.get(2)?;
    Ok(AnswerRow {
        event: event.clone(),
        bus_id: parsed(row, 0)?,
        outcome: word.and_then(outcome),
        commit: commit.and_then(|text| text.parse().ok()),
        digest: row.get(3)?,
        reason: row.get(4)?,
        answered: row.get(5)?,
    })
}

fn outcome(word: String) -> Option<Outcome> {
    from_value(Value::String(word)).ok()
}
