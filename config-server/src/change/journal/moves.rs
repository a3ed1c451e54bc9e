//! The log of head moves. Its order is the order of history: a rollback is a new move forward.

use std::str::FromStr;
use std::sync::Arc;

use contract::{Affects, CommitId, EventId, Label, Message, MoveId};
use rusqlite::types::Type;
use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::error::JournalError;
use super::outbox::{self, StoredEvent};
use super::thread::Journal;
use crate::change::notice::{self, Sender};
use crate::store::Cause;

/// Moves that are remembered; the newest of each head always is.
const MOVES_KEPT: u64 = 10_000;
/// Labels that are followed again after a start.
const LABELS: usize = 16;

/// A head move as it is to be written down.
#[derive(Debug, Clone)]
pub struct Entry {
    pub repository: Arc<str>,
    pub label: Label,
    /// `None` on the first sight of the label.
    pub from: Option<CommitId>,
    pub to: CommitId,
    pub affects: Affects,
    pub cause: Cause,
    pub sender: Sender,
    /// Milliseconds since 1970.
    pub time: u64,
    /// Settled events that are kept for the reports.
    pub kept: usize,
}

/// What came of writing a move down.
#[derive(Debug, Clone)]
pub struct Recorded {
    pub moved: MoveId,
    /// The event in the outbox; `None` for a first sight, and when the move was known already.
    pub event: Option<StoredEvent>,
    /// Earlier moves of the head whose events were given up: too many waited, and `event` is for
    /// everybody now.
    pub superseded: Vec<EventId>,
}

/// Where a head stands by the log.
struct Last {
    sequence: u64,
    commit: CommitId,
}

impl Journal {
    /// Writes the move and its event in one transaction.
    ///
    /// The log has the last word on where the head stood. When it disagrees with the entry (an
    /// earlier move could not be written down), the entry's `affects` does not cover the whole way,
    /// and the event is for everybody. A move that is written down already stays as it is, so that
    /// repeating the call after any failure is harmless.
    ///
    /// While the bus is away, so many moves of one head may wait; the next one's event is for
    /// everybody and takes the place of all of theirs.
    ///
    /// # Errors
    /// [`JournalError`]; nothing is written then.
    pub async fn record(&self, entry: Entry) -> Result<Recorded, JournalError> {
        let epoch = self.epoch().to_owned();
        self.transact("write down a head move", move |tx| record(tx, entry, epoch))
            .await
    }

    /// Where the head of `label` stood when it was last written down.
    ///
    /// # Errors
    /// [`JournalError`] when the log cannot be read.
    pub async fn last(&self, repository: &str, label: &Label) -> Result<Option<(CommitId, MoveId)>, JournalError> {
        let (repository, label, epoch) = (repository.to_owned(), label.clone(), self.epoch().to_owned());
        let last = self
            .transact("read the head-move log", move |tx| last(tx, &repository, &label))
            .await?;
        Ok(last.map(|last| {
            let sequence = last.sequence;
            (last.commit, MoveId { epoch, sequence })
        }))
    }

    /// The labels of the repository whose heads moved last, newest first.
    ///
    /// # Errors
    /// [`JournalError`] when the log cannot be read.
    pub async fn labels(&self, repository: &str) -> Result<Vec<Label>, JournalError> {
        let repository = repository.to_owned();
        self.transact("read the head-move log", move |tx| {
            tx.prepare_cached(
                "SELECT label FROM moves WHERE repository = ?1 GROUP BY label ORDER BY MAX(sequence) DESC LIMIT ?2",
            )?
            .query_map(params![repository, LABELS], |row| parsed(row, 0))?
            .collect()
        })
        .await
    }

    /// Whether the head of `label` ever stood at `commit`.
    ///
    /// # Errors
    /// [`JournalError`] when the log cannot be read.
    pub async fn visited(&self, repository: &str, label: &Label, commit: &CommitId) -> Result<bool, JournalError> {
        let key = (repository.to_owned(), label.to_string(), commit.to_string());
        self.transact("read the head-move log", move |tx| {
            tx.prepare_cached("SELECT 1 FROM moves WHERE repository = ?1 AND label = ?2 AND to_commit = ?3")?
                .exists(key)
        })
        .await
    }

    /// Puts back into the outbox the event of every move past the published cursor that has none:
    /// the check-back of a start (promise 4). The snapshots are gone, so such an event is for
    /// everybody; its id is the one the lost event had.
    ///
    /// # Errors
    /// [`JournalError`]; the outbox is as it was then.
    pub async fn rederive(&self, sender: Sender) -> Result<usize, JournalError> {
        let epoch = self.epoch().to_owned();
        self.transact("look for moves without an event", move |tx| {
            rederive(tx, &sender, &epoch)
        })
        .await
    }
}

fn record(tx: &Transaction<'_>, entry: Entry, epoch: String) -> rusqlite::Result<Recorded> {
    let last = last(tx, &entry.repository, &entry.label)?;
    if let Some(last) = last.as_ref().filter(|last| last.commit == entry.to) {
        let sequence = last.sequence;
        return Ok(Recorded::without_event(MoveId { epoch, sequence }));
    }
    let from = last.map(|last| last.commit).or_else(|| entry.from.clone());
    let is_crowded = outbox::is_crowded(tx, &entry.repository, &entry.label)?;
    let affects = if from == entry.from && !is_crowded {
        entry.affects.clone()
    } else {
        Affects::All
    };
    let visit = visits(tx, &entry.repository, &entry.label, from.as_ref(), &entry.to)?;
    let sequence = insert(tx, &entry, from.as_ref(), visit)?;
    let moved = MoveId { epoch, sequence };
    prune(tx, moved.sequence)?;
    let Some(from) = from else {
        return Ok(Recorded::without_event(moved));
    };
    let head = Head {
        repository: &entry.repository,
        label: entry.label.clone(),
        from,
        to: entry.to,
        visit,
    };
    let message = head.announce(&entry.sender, affects, moved.clone(), entry.time);
    let event = outbox::insert_move(tx, &message, moved.sequence, entry.cause.name(), entry.time)?;
    let superseded = match is_crowded {
        true => outbox::supersede(tx, &entry.repository, &entry.label, sequence, entry.kept)?,
        false => Vec::new(),
    };
    Ok(Recorded {
        moved,
        event: Some(event),
        superseded,
    })
}

fn insert(tx: &Transaction<'_>, entry: &Entry, from: Option<&CommitId>, visit: u64) -> rusqlite::Result<u64> {
    tx.prepare_cached(
        "INSERT INTO moves (repository, label, from_commit, to_commit, visit, cause, time)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        entry.repository,
        entry.label.as_str(),
        from.map(CommitId::as_str),
        entry.to.as_str(),
        visit,
        entry.cause.name(),
        entry.time
    ])?;
    Ok(tx.last_insert_rowid().unsigned_abs())
}

/// A move whose event is to be made.
struct Head<'a> {
    repository: &'a str,
    label: Label,
    from: CommitId,
    to: CommitId,
    visit: u64,
}

impl Recorded {
    fn without_event(moved: MoveId) -> Self {
        Self {
            moved,
            event: None,
            superseded: Vec::new(),
        }
    }
}

impl Head<'_> {
    fn announce(self, sender: &Sender, affects: Affects, moved: MoveId, time: u64) -> Message {
        let id = EventId::of_move(self.repository, &self.label, Some(&self.from), &self.to, self.visit);
        let step = notice::Step {
            label: self.label,
            from: self.from,
            to: self.to,
            moved,
        };
        notice::compose(sender, id, step, affects, time)
    }
}

fn last(tx: &Transaction<'_>, repository: &str, label: &Label) -> rusqlite::Result<Option<Last>> {
    tx.prepare_cached(
        "SELECT sequence, to_commit FROM moves WHERE repository = ?1 AND label = ?2 ORDER BY sequence DESC LIMIT 1",
    )?
    .query_row(params![repository, label.as_str()], |row| {
        Ok(Last {
            sequence: row.get(0)?,
            commit: parsed(row, 1)?,
        })
    })
    .optional()
}

/// How many times this head had gone from `from` to `to` before.
fn visits(
    tx: &Transaction<'_>,
    repository: &str,
    label: &Label,
    from: Option<&CommitId>,
    to: &CommitId,
) -> rusqlite::Result<u64> {
    // The greatest and not the count: older passages may be forgotten, an id must not come again.
    tx.prepare_cached(
        "SELECT COALESCE(MAX(visit) + 1, 0) FROM moves
         WHERE repository = ?1 AND label = ?2 AND from_commit IS ?3 AND to_commit = ?4",
    )?
    .query_row(
        params![repository, label.as_str(), from.map(CommitId::as_str), to.as_str()],
        |row| row.get(0),
    )
}

fn prune(tx: &Transaction<'_>, newest: u64) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "DELETE FROM moves
         WHERE sequence <= ?1
           AND sequence <= (SELECT published FROM log)
           AND EXISTS (SELECT 1 FROM moves AS later WHERE later.repository = moves.repository
                       AND later.label = moves.label AND later.sequence > moves.sequence)",
    )?
    .execute([newest.saturating_sub(MOVES_KEPT)])?;
    Ok(())
}

fn rederive(tx: &Transaction<'_>, sender: &Sender, epoch: &str) -> rusqlite::Result<usize> {
    let mut missing = tx.prepare_cached(
        "SELECT sequence, repository, label, from_commit, to_commit, visit, cause, time FROM moves
         WHERE sequence > (SELECT published FROM log) AND from_commit IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM events WHERE events.move = moves.sequence)
         ORDER BY sequence",
    )?;
    let mut rows = missing.query([])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        let sequence: u64 = row.get(0)?;
        let repository: String = row.get(1)?;
        let head = Head {
            repository: &repository,
            label: parsed(row, 2)?,
            from: parsed(row, 3)?,
            to: parsed(row, 4)?,
            visit: row.get(5)?,
        };
        let (cause, time): (String, u64) = (row.get(6)?, row.get(7)?);
        let epoch = epoch.to_owned();
        let message = head.announce(sender, Affects::All, MoveId { epoch, sequence }, time);
        outbox::insert_move(tx, &message, sequence, &cause, time)?;
        count += 1;
    }
    Ok(count)
}

/// Column `index` as one of the contract's names.
pub(super) fn parsed<T>(row: &Row<'_>, index: usize) -> rusqlite::Result<T>
where
    T: FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let text: String = row.get(index)?;
    text.parse()
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(index, Type::Text, Box::new(error)))
}
