use std::path::Path;
use std::time::Duration;

use contract::delivery::EventState;
use contract::{Affects, BusEvent, BusId, CommitId, Destination, EventId, Label, Message, Scope};
use rusqlite::StatementStatus;

use super::outbox::MOVES_WAITING;
use super::*;
use crate::change::notice::Sender;
use crate::store::Cause;

const REPOSITORY: &str = "https://git.example.org/config";

fn commit(digit: char) -> CommitId {
    digit.to_string().repeat(40).parse().expect("a commit")
}

fn main() -> Label {
    "main".parse().expect("a label")
}

fn sender() -> Sender {
    Sender {
        bus_id: "config-server:8888:a".parse::<BusId>().expect("an id"),
        spread_millis: 0,
        report_spread_millis: 0,
    }
}

fn orders() -> Affects {
    Affects::union([Scope::new(Some("orders"), None)])
}

fn entry(from: Option<char>, to: char) -> Entry {
    Entry {
        repository: REPOSITORY.into(),
        label: main(),
        from: from.map(commit),
        to: commit(to),
        affects: orders(),
        cause: Cause::Tick,
        sender: sender(),
        time: 1_000,
        kept: 20,
    }
}

fn operator(id: &str) -> (Message, Origin) {
    let event = BusEvent::refresh(EventId::received(id), 1_000, &sender().bus_id, Destination::everyone());
    let origin = Origin {
        cause: Cause::Operator,
        created: 1_000,
        expires: Some(2_000),
        state: EventState::Queued,
    };
    (Message { event, notice: None }, origin)
}

async fn memory() -> Journal {
    Journal::open(None).await.expect("a journal in memory")
}

async fn file(directory: &Path) -> Journal {
    Journal::open(Some(directory.join("state/journal.db")))
        .await
        .expect("a journal")
}

/// The event of a move, which must have one.
async fn moved(journal: &Journal, from: Option<char>, to: char) -> StoredEvent {
    let recorded = journal.record(entry(from, to)).await.expect("recorded");
    recorded.event.expect("an event")
}

#[tokio::test]
async fn a_first_sight_is_logged_without_an_event() {
    let journal = memory().await;
    let recorded = journal.record(entry(None, 'a')).await.expect("recorded");
    assert_eq!(recorded.moved.sequence, 1);
    assert_eq!(recorded.event, None);
    assert_eq!(journal.queued(9).await.expect("the outbox"), []);
    let last = journal.last(REPOSITORY, &main()).await.expect("the log");
    assert_eq!(last, Some((commit('a'), recorded.moved)));
}

#[tokio::test]
async fn a_move_and_its_event_are_written_together() {
    let journal = memory().await;
    journal.record(entry(None, 'a')).await.expect("recorded");
    let event = moved(&journal, Some('a'), 'b').await;
    let notice = event.message.notice.as_ref().expect("a notice");
    assert_eq!(
        (notice.from.clone(), notice.to.clone()),
        (Some(commit('a')), commit('b'))
    );
    assert_eq!(notice.affects, orders());
    let place = notice.moved.as_ref().expect("its place in the log");
    assert_eq!((place.epoch.as_str(), place.sequence), (journal.epoch(), 2));
    assert_eq!(
        *event.id(),
        EventId::of_move(REPOSITORY, &main(), Some(&commit('a')), &commit('b'), 0)
    );
    assert_eq!(journal.queued(9).await.expect("the outbox"), [event]);
}

#[tokio::test]
async fn a_passage_made_again_has_an_id_of_its_own() {
    let journal = memory().await;
    journal.record(entry(None, 'a')).await.expect("recorded");
    let there = moved(&journal, Some('a'), 'b').await;
    let back = moved(&journal, Some('b'), 'a').await;
    let again = moved(&journal, Some('a'), 'b').await;
    assert_ne!(there.id(), back.id());
    assert_ne!(there.id(), again.id());
    assert!(
        journal
            .visited(REPOSITORY, &main(), &commit('b'))
            .await
            .expect("the log")
    );
    assert!(
        !journal
            .visited(REPOSITORY, &main(), &commit('c'))
            .await
            .expect("the log")
    );
}

#[tokio::test]
async fn two_servers_that_see_one_move_give_it_one_id() {
    let mut ids = Vec::new();
    for _ in 0..2 {
        let journal = memory().await;
        journal.record(entry(None, 'a')).await.expect("recorded");
        let event = moved(&journal, Some('a'), 'b').await;
        ids.push((event.id().clone(), journal.epoch().to_owned()));
    }
    assert_eq!(ids[0].0, ids[1].0);
    assert_ne!(ids[0].1, ids[1].1);
}

#[tokio::test]
async fn writing_a_move_down_twice_changes_nothing() {
    let journal = memory().await;
    journal.record(entry(None, 'a')).await.expect("recorded");
    let first = journal.record(entry(Some('a'), 'b')).await.expect("recorded");
    let second = journal.record(entry(Some('a'), 'b')).await.expect("recorded");
    assert_eq!(second.moved, first.moved);
    assert_eq!(second.event, None);
    assert_eq!(journal.queued(9).await.expect("the outbox").len(), 1);
}

#[tokio::test]
async fn a_move_whose_predecessor_was_not_written_down_is_for_everybody() {
    let journal = memory().await;
    journal.record(entry(None, 'a')).await.expect("recorded");
    for (from, to) in [(Some('b'), 'c'), (None, 'd')] {
        let event = moved(&journal, from, to).await;
        assert_eq!(event.message.notice.expect("a notice").affects, Affects::All);
    }
    let from = journal
        .event_of_move(REPOSITORY, &main(), &commit('c'))
        .await
        .expect("the outbox");
    let notice = from.and_then(|event| event.message.notice).expect("a notice");
    assert_eq!(notice.from, Some(commit('a')));
}

#[tokio::test]
async fn a_closed_journal_opens_with_everything_it_held() {
    let directory = tempfile::tempdir().expect("a directory");
    let (epoch, event) = {
        let journal = file(directory.path()).await;
        journal.record(entry(None, 'a')).await.expect("recorded");
        (journal.epoch().to_owned(), moved(&journal, Some('a'), 'b').await)
    };
    let journal = file(directory.path()).await;
    assert_eq!(journal.epoch(), epoch);
    assert_eq!(journal.queued(9).await.expect("the outbox"), [event]);
}

#[tokio::test]
async fn a_full_disk_is_said_so_and_loses_nothing() {
    let journal = memory().await;
    journal.record(entry(None, 'a')).await.expect("recorded");
    let limit = |pages: u32| move |tx: &rusqlite::Transaction<'_>| tx.pragma_update(None, "max_page_count", pages);
    journal.transact("limit", limit(1)).await.expect("a limit");
    let mut written = 0;
    let error = loop {
        let (message, origin) = operator(&format!("{written}-{}", "x".repeat(400)));
        match journal.add(message, origin, 100).await {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
        assert!(written < 10_000, "the limit holds");
    };
    assert!(matches!(error, JournalError::Full { .. }), "{error:?}");
    let refused = journal
        .record(Entry {
            cause: Cause::Webhook,
            ..entry(Some('a'), 'b')
        })
        .await;
    journal.transact("limit", limit(100_000)).await.expect("no limit");
    let queued = journal.queued(10_000).await.expect("the outbox").len();
    assert_eq!(queued, written + usize::from(refused.is_ok()));
    let recorded = journal.record(entry(Some('a'), 'b')).await.expect("recorded");
    assert_eq!(recorded.moved.sequence, 2);
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("journal.db");
    let newer = rusqlite::Connection::open(&path).expect("a file");
    newer.pragma_update(None, "user_version", 99).expect("a version");
    drop(newer);
    let error = Journal::open(Some(path)).await.expect_err("refused");
    assert!(matches!(error, JournalError::Newer { found: 99, .. }), "{error:?}");
    assert!(!error.to_string().contains(&*directory.path().to_string_lossy()));
}

#[tokio::test]
async fn the_published_cursor_stops_before_the_first_that_waits() {
    let journal = memory().await;
    journal.record(entry(None, 'a')).await.expect("recorded");
    let first = moved(&journal, Some('a'), 'b').await;
    let second = moved(&journal, Some('b'), 'c').await;
    journal.published(second.number, 5, 100).await.expect("marked");
    assert_eq!(
        journal.queued(9).await.expect("the outbox"),
        std::slice::from_ref(&first)
    );
    forget_event(&journal, first.number).await;
    assert_eq!(journal.rederive(sender()).await.expect("the outbox"), 1);
    let again = journal.queued(9).await.expect("the outbox");
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].id(), first.id());
    assert_eq!(
        again[0].message.notice.as_ref().expect("a notice").affects,
        Affects::All
    );
}

#[tokio::test]
async fn what_was_published_is_not_derived_again() {
    let journal = memory().await;
    journal.record(entry(None, 'a')).await.expect("recorded");
    let event = moved(&journal, Some('a'), 'b').await;
    journal.published(event.number, 5, 100).await.expect("marked");
    forget_event(&journal, event.number).await;
    assert_eq!(journal.rederive(sender()).await.expect("the outbox"), 0);
}

#[tokio::test]
async fn old_moves_are_forgotten_but_never_the_newest_of_a_label() {
    let journal = memory().await;
    let other = Entry {
        label: "release".parse().expect("a label"),
        ..entry(None, 'f')
    };
    journal.record(other).await.expect("recorded");
    journal.record(entry(None, 'a')).await.expect("recorded");
    let event = moved(&journal, Some('a'), 'b').await;
    journal.published(event.number, 5, 100).await.expect("marked");
    let far =
        |tx: &rusqlite::Transaction<'_>| tx.execute("UPDATE sqlite_sequence SET seq = 20000 WHERE name = 'moves'", []);
    journal.transact("jump", far).await.expect("far ahead");
    moved(&journal, Some('b'), 'c').await;
    moved(&journal, Some('c'), 'd').await;
    assert!(
        !journal
            .visited(REPOSITORY, &main(), &commit('a'))
            .await
            .expect("the log")
    );
    assert!(
        journal
            .visited(REPOSITORY, &main(), &commit('d'))
            .await
            .expect("the log")
    );
    let labels = journal.labels(REPOSITORY).await.expect("the log");
    assert_eq!(
        labels.iter().map(Label::as_str).collect::<Vec<_>>(),
        ["main", "release"]
    );
}

#[tokio::test]
async fn settled_events_are_kept_up_to_a_number_and_queued_ones_always() {
    let journal = memory().await;
    let (message, origin) = operator("waits");
    journal.add(message, origin, 100).await.expect("written");
    for n in 0..10 {
        let (message, origin) = operator(&format!("e{n}"));
        let event = journal.add(message, origin, 100).await.expect("written").expect("new");
        journal.published(event.number, 5, 3).await.expect("marked");
    }
    assert_eq!(ids(&journal).await, ["e9", "e8", "e7", "waits"]);
}

#[tokio::test]
async fn while_the_bus_is_away_the_newest_move_speaks_for_those_that_are_too_many() {
    let journal = memory().await;
    journal.record(entry(None, 'a')).await.expect("recorded");
    let mut superseded = Vec::new();
    for n in 0..600 {
        let (from, to) = if n % 2 == 0 { ('a', 'b') } else { ('b', 'a') };
        let recorded = journal.record(entry(Some(from), to)).await.expect("recorded");
        superseded.extend(recorded.superseded);
    }
    assert_eq!(superseded.len(), 2 * MOVES_WAITING);
    let queued = journal.queued(9_999).await.expect("the outbox");
    assert_eq!(queued.len(), 600 - superseded.len());
    let affects = |event: &StoredEvent| event.message.notice.as_ref().map(|notice| notice.affects.clone());
    assert_eq!(queued.first().and_then(affects), Some(Affects::All));
    assert_eq!(queued.last().and_then(affects), Some(orders()));
    let kept = journal.recent(9_999).await.expect("events");
    assert_eq!(kept.len(), queued.len() + 20, "of those given up, as many as of others");
    assert_eq!(
        journal.rederive(sender()).await.expect("looked"),
        0,
        "none of them comes back"
    );
    for event in &queued {
        journal.published(event.number, 5, 20).await.expect("marked");
    }
    assert_eq!(journal.queued(9).await.expect("the outbox"), []);
}

/// What is kept, newest first.
async fn ids(journal: &Journal) -> Vec<String> {
    let events = journal.recent(99).await.expect("events");
    events.iter().map(|event| event.id().to_string()).collect()
}

/// An event that another server has published.
fn peer(id: &str) -> (Message, Origin) {
    let (message, origin) = operator(id);
    let origin = Origin {
        cause: Cause::Peer,
        state: EventState::Published,
        ..origin
    };
    (message, origin)
}

#[tokio::test]
async fn events_of_peers_and_expired_ones_are_bounded_too() {
    let journal = memory().await;
    for n in 0..10 {
        let (message, origin) = peer(&format!("p{n}"));
        journal.add(message, origin, 3).await.expect("written");
    }
    assert_eq!(ids(&journal).await, ["p9", "p8", "p7"]);
    for n in 0..10 {
        let (message, origin) = operator(&format!("e{n}"));
        let event = journal.add(message, origin, 3).await.expect("written").expect("new");
        journal.expired(event.number, 3).await.expect("marked");
    }
    assert_eq!(ids(&journal).await, ["e9", "e8", "e7"]);
}

#[tokio::test]
async fn an_event_of_a_peer_is_known_once() {
    let journal = memory().await;
    let (message, origin) = peer("peer");
    let first = journal
        .add(message.clone(), origin.clone(), 100)
        .await
        .expect("written");
    assert_eq!(first.map(|event| event.published), Some(Some(1_000)));
    assert_eq!(journal.add(message, origin, 100).await.expect("read"), None);
    assert_eq!(journal.queued(9).await.expect("the outbox"), []);
}

#[tokio::test]
async fn a_statement_is_planned_once_whatever_is_bound() {
    let journal = memory().await;
    let ask = |tx: &rusqlite::Transaction<'_>| {
        let mut ask = tx.prepare_cached("SELECT number FROM events WHERE state = 'queued' AND number > ?1 LIMIT ?2")?;
        for past in 0..3 {
            ask.exists([past, 9])?;
        }
        Ok(ask.get_status(StatementStatus::RePrepare))
    };
    assert_eq!(journal.transact("ask three times", ask).await.expect("asked"), 0);
}

#[tokio::test]
async fn a_second_server_cannot_open_the_same_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("journal.db");
    let first = Journal::open(Some(path.clone())).await.expect("a journal");
    first.record(entry(None, 'a')).await.expect("recorded");
    let second = tokio::time::timeout(Duration::from_secs(30), Journal::open(Some(path))).await;
    let error = second.expect("an answer in time").expect_err("refused");
    assert!(matches!(error, JournalError::InUse(_)), "{error:?}");
}

/// As if the row had been lost.
async fn forget_event(journal: &Journal, number: u64) {
    let forget = move |tx: &rusqlite::Transaction<'_>| tx.execute("DELETE FROM events WHERE number = ?1", [number]);
    journal.transact("forget", forget).await.expect("forgotten");
}
