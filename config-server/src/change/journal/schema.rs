//! The tables, and how an older file becomes a newer one.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, TransactionBehavior};
use uuid::Uuid;

use super::error::JournalError;

/// Entry `n` takes a file from `user_version` n to n + 1. Never edited, only appended to.
const MIGRATIONS: &[&str] = &[FIRST];

const FIRST: &str = "
CREATE TABLE log (
    epoch     TEXT    NOT NULL,
    -- Every move up to here has had its event confirmed by the bus.
    published INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE moves (
    sequence    INTEGER PRIMARY KEY AUTOINCREMENT,
    repository  TEXT    NOT NULL,
    label       TEXT    NOT NULL,
    from_commit TEXT,
    to_commit   TEXT    NOT NULL,
    visit       INTEGER NOT NULL,
    cause       TEXT    NOT NULL,
    time        INTEGER NOT NULL
);
CREATE INDEX moves_of_head ON moves (repository, label, sequence);
CREATE TABLE events (
    number    INTEGER PRIMARY KEY AUTOINCREMENT,
    id        TEXT    NOT NULL UNIQUE,
    move      INTEGER REFERENCES moves (sequence) ON DELETE CASCADE,
    frame     TEXT    NOT NULL,
    cause     TEXT    NOT NULL,
    state     TEXT    NOT NULL CHECK (state IN ('queued', 'published', 'expired')),
    attempts  INTEGER NOT NULL DEFAULT 0,
    created   INTEGER NOT NULL,
    expires   INTEGER,
    published INTEGER
);
CREATE INDEX events_queued ON events (number) WHERE state = 'queued';
CREATE INDEX events_of_move ON events (move) WHERE move IS NOT NULL;
CREATE TABLE answers (
    event    INTEGER NOT NULL REFERENCES events (number) ON DELETE CASCADE,
    bus_id   TEXT    NOT NULL,
    outcome  TEXT,
    commit_id TEXT,
    digest   TEXT,
    reason   TEXT,
    answered INTEGER,
    PRIMARY KEY (event, bus_id)
) WITHOUT ROWID;
CREATE TABLE agents (
    bus_id TEXT PRIMARY KEY,
    status TEXT NOT NULL,
    seen   INTEGER NOT NULL
) WITHOUT ROWID;
";

/// Statements that are kept prepared: all of the journal's, which are fewer. A cache that is too small
/// for a round of them parses each anew.
const STATEMENTS: usize = 64;

/// How long an open waits for the process before this one to let go of the file.
const HAND_OVER: Duration = Duration::from_secs(5);

/// Opens (or makes) the journal and brings it to the newest schema. Answers the log's epoch, too.
pub(super) fn open(database: Option<&Path>) -> Result<(Connection, String), JournalError> {
    if let Some(directory) = database.and_then(Path::parent) {
        std::fs::create_dir_all(directory).map_err(JournalError::Start)?;
    }
    let mut connection = match database {
        Some(path) => Connection::open(path),
        None => Connection::open_in_memory(),
    }
    .map_err(JournalError::Open)?;
    configure(&connection).map_err(JournalError::opening)?;
    migrate(&mut connection)?;
    let epoch = epoch(&connection).map_err(JournalError::opening)?;
    Ok((connection, epoch))
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Else what is bound may choose the plan, and every statement is prepared anew each time it runs.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.busy_timeout(HAND_OVER)?;
    // Before WAL, so that the lock is taken at once and no shared memory file is made.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)
}

fn migrate(connection: &mut Connection) -> Result<(), JournalError> {
    let found: usize = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(JournalError::opening)?;
    let missing = MIGRATIONS.get(found..).ok_or(JournalError::Newer {
        found,
        known: MIGRATIONS.len(),
    })?;
    for (step, migration) in (found + 1..).zip(missing) {
        apply(connection, migration, step).map_err(JournalError::opening)?;
    }
    Ok(())
}

fn apply(connection: &mut Connection, migration: &str, version: usize) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(migration)?;
    transaction.pragma_update(None, "user_version", version)?;
    transaction.commit()
}

/// The name of this log, made with it.
fn epoch(connection: &Connection) -> rusqlite::Result<String> {
    let fresh = Uuid::new_v4().simple().to_string()[..12].to_owned();
    connection.execute(
        "INSERT INTO log (epoch) SELECT ?1 WHERE NOT EXISTS (SELECT 1 FROM log)",
        [fresh],
    )?;
    connection.query_row("SELECT epoch FROM log", [], |row| row.get(0))
}
