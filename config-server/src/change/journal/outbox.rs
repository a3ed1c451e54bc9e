//! The outbox: events from the moment they are made until the bus has confirmed them, and for a
//! while after, for the delivery reports.

use contract::delivery::EventState;
use contract::{CommitId, EventId, Label, Message};
use rusqlite::types::Type;
use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::error::JournalError;
use super::thread::Journal;
use crate::store::Cause;

const COLUMNS: &str = "number, id, frame, cause, state, attempts, created, expires, published";

/// Moves of one head that may wait for the bus; one more, and it speaks for them all.
pub(super) const MOVES_WAITING: usize = 256;

/// An event as the journal keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Counts the events of this journal; they are published in this order.
    pub number: u64,
    pub message: Message,
    /// What made it: one of the words of [`Cause::name`].
    pub cause: String,
    pub state: EventState,
    /// Publishing was tried this often in vain.
    pub attempts: u32,
    /// Milliseconds since 1970, as are the others.
    pub created: u64,
    /// When it is given up; `None` never.
    pub expires: Option<u64>,
    pub published: Option<u64>,
}

/// An event that is no head move.
#[derive(Debug, Clone)]
pub struct Origin {
    pub cause: Cause,
    pub created: u64,
    pub expires: Option<u64>,
    /// [`EventState::Published`] for what another member has put on the bus.
    pub state: EventState,
}

impl StoredEvent {
    #[must_use]
    pub fn id(&self) -> &EventId {
        &self.message.event.id
    }
}

impl Journal {
    /// Puts an event that is no head move into the outbox (or, published by somebody else, into the
    /// reports, of which the oldest past `kept` are forgotten). `None` when its id is known already.
    ///
    /// # Errors
    /// [`JournalError`]; nothing is written then.
    pub async fn add(
        &self,
        message: Message,
        origin: Origin,
        kept: usize,
    ) -> Result<Option<StoredEvent>, JournalError> {
        self.transact("write down an event", move |tx| {
            let added = add(tx, &message, &origin)?;
            if added.as_ref().is_some_and(|event| event.state != EventState::Queued) {
                prune(tx, kept)?;
            }
            Ok(added)
        })
        .await
    }

    /// What waits to be published, in order, at most `limit`.
    ///
    /// # Errors
    /// [`JournalError`] when the outbox cannot be read.
    pub async fn queued(&self, limit: usize) -> Result<Vec<StoredEvent>, JournalError> {
        self.queued_past(0, limit).await
    }

    /// What waits to be published and came after the event `number`, in order, at most `limit`.
    ///
    /// # Errors
    /// [`JournalError`] when the outbox cannot be read.
    pub async fn queued_past(&self, number: u64, limit: usize) -> Result<Vec<StoredEvent>, JournalError> {
        self.transact("read the outbox", move |tx| {
            let text =
                format!("SELECT {COLUMNS} FROM events WHERE state = 'queued' AND number > ?1 ORDER BY number LIMIT ?2");
            tx.prepare_cached(&text)?
                .query_map(params![number, limit], stored)?
                .collect()
        })
        .await
    }

    /// The bus has confirmed the event. Forgets the oldest settled ones past `kept`.
    ///
    /// # Errors
    /// [`JournalError`]; the event stays queued, and is published once more with the same id.
    pub async fn published(&self, number: u64, time: u64, kept: usize) -> Result<(), JournalError> {
        self.transact("mark an event as published", move |tx| {
            tx.prepare_cached("UPDATE events SET state = 'published', published = ?2 WHERE number = ?1")?
                .execute([number, time])?;
            advance(tx)?;
            prune(tx, kept)
        })
        .await
    }

    /// The event has waited too long. Forgets the oldest settled ones past `kept`.
    ///
    /// # Errors
    /// [`JournalError`]; the event stays queued.
    pub async fn expired(&self, number: u64, kept: usize) -> Result<(), JournalError> {
        self.transact("mark an event as expired", move |tx| {
            tx.prepare_cached("UPDATE events SET state = 'expired' WHERE number = ?1 AND state = 'queued'")?
                .execute([number])?;
            prune(tx, kept)
        })
        .await
    }

    /// Publishing the event was tried in vain.
    ///
    /// # Errors
    /// [`JournalError`]; only the count is lost.
    pub async fn attempted(&self, number: u64) -> Result<(), JournalError> {
        self.transact("count an attempt to publish", move |tx| {
            tx.prepare_cached("UPDATE events SET attempts = attempts + 1 WHERE number = ?1")?
                .execute([number])?;
            Ok(())
        })
        .await
    }

    /// The event `id`.
    ///
    /// # Errors
    /// [`JournalError`] when it cannot be read.
    pub async fn event(&self, id: &EventId) -> Result<Option<StoredEvent>, JournalError> {
        let id = id.to_string();
        self.transact("read an event", move |tx| {
            let text = format!("SELECT {COLUMNS} FROM events WHERE id = ?1");
            tx.prepare_cached(&text)?.query_row([id], stored).optional()
        })
        .await
    }

    /// Whether the event `id` is of a move that this server has seen itself.
    ///
    /// # Errors
    /// [`JournalError`] when it cannot be read.
    pub async fn is_own_move(&self, id: &EventId) -> Result<bool, JournalError> {
        let id = id.to_string();
        self.transact("look for the event of a head move", move |tx| {
            tx.prepare_cached("SELECT 1 FROM events WHERE id = ?1 AND move IS NOT NULL")?
                .exists([id])
        })
        .await
    }

    /// The newest event of a move of the head of `label` to `commit`.
    ///
    /// # Errors
    /// [`JournalError`] when it cannot be read.
    pub async fn event_of_move(
        &self,
        repository: &str,
        label: &Label,
        commit: &CommitId,
    ) -> Result<Option<StoredEvent>, JournalError> {
        let key = (repository.to_owned(), label.to_string(), commit.to_string());
        self.transact("read the event of a head move", move |tx| {
            let text = format!(
                "SELECT {COLUMNS} FROM events WHERE move = (SELECT MAX(sequence) FROM moves
                 WHERE repository = ?1 AND label = ?2 AND to_commit = ?3)"
            );
            tx.prepare_cached(&text)?.query_row(key, stored).optional()
        })
        .await
    }

    /// The newest events, newest first, at most `limit`.
    ///
    /// # Errors
    /// [`JournalError`] when they cannot be read.
    pub async fn recent(&self, limit: usize) -> Result<Vec<StoredEvent>, JournalError> {
        self.transact("read the newest events", move |tx| {
            let text = format!("SELECT {COLUMNS} FROM events ORDER BY number DESC LIMIT ?1");
            tx.prepare_cached(&text)?.query_map([limit], stored)?.collect()
        })
        .await
    }
}

/// The event of the move `sequence`. Another server's copy of it may be known already: ours is
/// published all the same, for it may be the only one that reaches the agents of this server.
pub(super) fn insert_move(
    tx: &Transaction<'_>,
    message: &Message,
    sequence: u64,
    cause: &str,
    created: u64,
) -> rusqlite::Result<StoredEvent> {
    let text = format!(
        "INSERT INTO events (id, move, frame, cause, state, created) VALUES (?1, ?2, ?3, ?4, 'queued', ?5)
         ON CONFLICT (id) DO UPDATE SET move = excluded.move, frame = excluded.frame, cause = excluded.cause,
                                        state = 'queued', expires = NULL
         RETURNING {COLUMNS}"
    );
    let id = message.event.id.as_str();
    tx.prepare_cached(&text)?
        .query_row(params![id, sequence, message.to_frame(), cause, created], stored)
}

/// Whether as many moves of the head as may wait do.
pub(super) fn is_crowded(tx: &Transaction<'_>, repository: &str, label: &Label) -> rusqlite::Result<bool> {
    tx.prepare_cached(
        "SELECT COUNT(*) >= ?3 FROM events JOIN moves ON move = sequence
         WHERE state = 'queued' AND repository = ?1 AND label = ?2",
    )?
    .query_row(params![repository, label.as_str(), MOVES_WAITING], |row| row.get(0))
}

/// Gives up what waits of the head's moves before `sequence`, whose event speaks for them all. The
/// answer is what was given up.
pub(super) fn supersede(
    tx: &Transaction<'_>,
    repository: &str,
    label: &Label,
    sequence: u64,
    kept: usize,
) -> rusqlite::Result<Vec<EventId>> {
    let given_up = tx
        .prepare_cached(
            "UPDATE events SET state = 'expired'
             WHERE state = 'queued' AND move < ?3
               AND move IN (SELECT sequence FROM moves WHERE repository = ?1 AND label = ?2)
             RETURNING id",
        )?
        .query_map(params![repository, label.as_str(), sequence], |row| {
            row.get(0).map(|id: String| EventId::received(&id))
        })?
        .collect::<rusqlite::Result<_>>()?;
    advance(tx)?;
    prune(tx, kept)?;
    Ok(given_up)
}

fn add(tx: &Transaction<'_>, message: &Message, origin: &Origin) -> rusqlite::Result<Option<StoredEvent>> {
    let text = format!(
        "INSERT INTO events (id, frame, cause, state, created, expires, published)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, iif(?4 = 'published', ?5, NULL))
         ON CONFLICT (id) DO NOTHING RETURNING {COLUMNS}"
    );
    tx.prepare_cached(&text)?
        .query_row(
            params![
                message.event.id.as_str(),
                message.to_frame(),
                origin.cause.name(),
                state_name(origin.state),
                origin.created,
                origin.expires
            ],
            stored,
        )
        .optional()
}

/// Brings the published cursor to the move before the first that still waits.
fn advance(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "UPDATE log SET published = COALESCE(
             (SELECT MIN(move) - 1 FROM events WHERE state = 'queued'),
             (SELECT MAX(sequence) FROM moves),
             published)",
    )?
    .execute([])?;
    Ok(())
}

fn prune(tx: &Transaction<'_>, kept: usize) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "DELETE FROM events
         WHERE state <> 'queued'
           AND number <= (SELECT number FROM events WHERE state <> 'queued' ORDER BY number DESC LIMIT 1 OFFSET ?1)
           AND (move IS NULL OR move <= (SELECT published FROM log))",
    )?
    .execute([kept])?;
    Ok(())
}

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredEvent> {
    let frame: String = row.get(2)?;
    let message = Message::from_frame(&frame)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(2, Type::Text, Box::new(error)))?;
    Ok(StoredEvent {
        number: row.get(0)?,
        message,
        cause: row.get(3)?,
        state: state_named(&row.get::<_, String>(4)?),
        attempts: row.get(5)?,
        created: row.get(6)?,
        expires: row.get(7)?,
        published: row.get(8)?,
    })
}

fn state_name(state: EventState) -> &'static str {
    match state {
        EventState::Published => "published",
        EventState::Expired => "expired",
        _ => "queued",
    }
}

/// The table takes no other word.
fn state_named(name: &str) -> EventState {
    match name {
        "published" => EventState::Published,
        "expired" => EventState::Expired,
        _ => EventState::Queued,
    }
}
