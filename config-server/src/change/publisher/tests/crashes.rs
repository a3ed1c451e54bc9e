//! The process ends at each step between a head move and its confirm, and starts again.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bus::{EventTransport, LinkState, Receipt, TransportError};
use contract::delivery::EventState;
use contract::{Affects, CommitId, Destination, EventId, EventKind, Message};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::change::Change;
use crate::change::journal::{Entry, Journal};
use crate::change::notice::Sender;
use crate::settings::ChangeSettings;
use crate::store::Cause;
use crate::tasks::Tasks;

const DEADLINE: Duration = Duration::from_secs(20);

/// What the bus does with one message.
#[derive(Debug, Clone, Copy)]
enum Manner {
    Takes,
    IsDown,
    /// The message arrives, the confirm never does: the process will end before.
    TakesSilently,
}

#[derive(Debug)]
struct ScriptedBus {
    manner: Mutex<Manner>,
    arrived: Mutex<Vec<EventId>>,
    attempts: watch::Sender<usize>,
    state: watch::Sender<LinkState>,
}

impl ScriptedBus {
    fn new(manner: Manner) -> Arc<Self> {
        Arc::new(Self {
            manner: Mutex::new(manner),
            arrived: Mutex::default(),
            attempts: watch::Sender::new(0),
            state: watch::Sender::new(LinkState::Connected),
        })
    }

    fn arrived(&self) -> Vec<EventId> {
        self.arrived.lock().expect("no panic").clone()
    }

    async fn attempted(&self, times: usize) {
        let mut attempts = self.attempts.subscribe();
        let seen = attempts.wait_for(|attempts| *attempts >= times);
        timeout(DEADLINE, seen).await.expect("in time").expect("a bus");
    }

    fn becomes(&self, manner: Manner) {
        *self.manner.lock().expect("no panic") = manner;
        self.state.send_replace(LinkState::Connected);
    }
}

#[async_trait]
impl EventTransport for ScriptedBus {
    async fn publish(&self, message: &Message) -> Result<Receipt, TransportError> {
        let manner = *self.manner.lock().expect("no panic");
        if !matches!(manner, Manner::IsDown) {
            self.arrived.lock().expect("no panic").push(message.event.id.clone());
        }
        self.attempts.send_modify(|attempts| *attempts += 1);
        match manner {
            Manner::Takes => Ok(Receipt { heard: true }),
            Manner::IsDown => Err(TransportError::NotConnected("down".to_owned())),
            Manner::TakesSilently => std::future::pending().await,
        }
    }

    fn state(&self) -> watch::Receiver<LinkState> {
        self.state.subscribe()
    }
}

/// One life of the server: dropping it is the crash.
struct Life {
    change: Arc<Change>,
    tasks: Tasks,
    stop: CancellationToken,
}

impl Life {
    async fn begin(directory: &Path, bus: Option<&Arc<ScriptedBus>>) -> Self {
        let change = Change::open(settings(directory)).await.expect("a journal");
        let (tasks, stop) = (Tasks::default(), CancellationToken::new());
        if let Some(bus) = bus {
            change.start(bus.clone(), None, &tasks, &stop);
        }
        Self { change, tasks, stop }
    }

    async fn end(self) {
        self.stop.cancel();
        timeout(DEADLINE, self.tasks.ended_all()).await.expect("in time");
    }

    async fn published(&self, id: &EventId) {
        let published = async {
            while self.state(id).await != Some(EventState::Published) {
                self.change.flush(Duration::from_millis(200)).await;
            }
        };
        timeout(DEADLINE, published).await.expect("published in time");
    }

    async fn state(&self, id: &EventId) -> Option<EventState> {
        let report = self.change.delivery().report(id).await.expect("a readable journal");
        report.map(|report| report.state)
    }
}

fn settings(directory: &Path) -> ChangeSettings {
    ChangeSettings {
        database: Some(directory.join("journal.db")),
        ..ChangeSettings::new("config-server:8888:a".parse().expect("an id"))
    }
}

/// Writes a move down the way the store does, and ends before the publisher hears of it.
async fn recorded(directory: &Path) -> EventId {
    let journal = Journal::open(settings(directory).database).await.expect("a journal");
    journal.record(entry(None, 'a')).await.expect("recorded");
    let recorded = journal.record(entry(Some('a'), 'b')).await.expect("recorded");
    recorded.event.expect("an event").id().clone()
}

fn entry(from: Option<char>, to: char) -> Entry {
    let commit = |digit: char| digit.to_string().repeat(40).parse::<CommitId>().expect("a commit");
    Entry {
        repository: "https://git.example.org/config".into(),
        label: "main".parse().expect("a label"),
        from: from.map(commit),
        to: commit(to),
        affects: Affects::All,
        cause: Cause::Tick,
        sender: Sender {
            bus_id: "config-server:8888:a".parse().expect("an id"),
            spread_millis: 0,
            report_spread_millis: 0,
        },
        time: 1_000,
        kept: 20,
    }
}

#[tokio::test]
async fn killed_between_writing_and_publishing_the_event_goes_out_at_the_next_start() {
    let directory = tempfile::tempdir().expect("a directory");
    let id = recorded(directory.path()).await;
    let bus = ScriptedBus::new(Manner::Takes);
    let life = Life::begin(directory.path(), Some(&bus)).await;
    life.published(&id).await;
    assert_eq!(bus.arrived(), [id]);
    life.end().await;
}

#[tokio::test]
async fn killed_while_the_bus_is_down_the_event_goes_out_at_the_next_start() {
    let directory = tempfile::tempdir().expect("a directory");
    let id = recorded(directory.path()).await;
    let away = ScriptedBus::new(Manner::IsDown);
    let life = Life::begin(directory.path(), Some(&away)).await;
    away.attempted(2).await;
    life.end().await;
    let bus = ScriptedBus::new(Manner::Takes);
    let life = Life::begin(directory.path(), Some(&bus)).await;
    life.published(&id).await;
    assert_eq!(bus.arrived(), [id]);
    life.end().await;
}

#[tokio::test]
async fn killed_between_arrival_and_confirm_the_event_goes_out_again_with_the_same_id() {
    let directory = tempfile::tempdir().expect("a directory");
    let id = recorded(directory.path()).await;
    let bus = ScriptedBus::new(Manner::TakesSilently);
    let life = Life::begin(directory.path(), Some(&bus)).await;
    bus.attempted(1).await;
    life.end().await;
    bus.becomes(Manner::Takes);
    let life = Life::begin(directory.path(), Some(&bus)).await;
    life.published(&id).await;
    assert_eq!(bus.arrived(), [id.clone(), id]);
    life.end().await;
}

#[tokio::test]
async fn killed_after_the_confirm_was_written_down_nothing_goes_out_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let id = recorded(directory.path()).await;
    let bus = ScriptedBus::new(Manner::Takes);
    let life = Life::begin(directory.path(), Some(&bus)).await;
    life.published(&id).await;
    life.end().await;
    let life = Life::begin(directory.path(), Some(&bus)).await;
    let progress = life.change.flush(DEADLINE).await;
    assert_eq!(progress.queued, 0);
    assert_eq!(bus.arrived(), [id]);
    life.end().await;
}

#[tokio::test]
async fn an_operators_event_waits_through_a_restart_and_leaves_when_the_bus_is_back() {
    let directory = tempfile::tempdir().expect("a directory");
    let bus = ScriptedBus::new(Manner::IsDown);
    let life = Life::begin(directory.path(), Some(&bus)).await;
    let orders = Destination::normalised(Some("orders"));
    let event = life
        .change
        .announce(orders, EventKind::Refresh, Cause::Operator)
        .await
        .expect("written down");
    assert!(life.change.flush(DEADLINE).await.hindered);
    assert_eq!(life.state(event.id()).await, Some(EventState::Queued));
    life.end().await;
    let life = Life::begin(directory.path(), Some(&bus)).await;
    bus.attempted(2).await;
    bus.becomes(Manner::Takes);
    life.published(event.id()).await;
    assert_eq!(bus.arrived(), [event.id().clone()]);
    life.end().await;
}

#[tokio::test]
async fn an_operators_event_that_waited_too_long_is_given_up_for_all_to_see() {
    let directory = tempfile::tempdir().expect("a directory");
    let bus = ScriptedBus::new(Manner::IsDown);
    let change = Change::open(ChangeSettings {
        expiry: Duration::ZERO,
        ..settings(directory.path())
    });
    let change = change.await.expect("a journal");
    let (tasks, stop) = (Tasks::default(), CancellationToken::new());
    let event = change
        .announce(Destination::everyone(), EventKind::Refresh, Cause::Operator)
        .await
        .expect("written down");
    change.start(bus.clone(), None, &tasks, &stop);
    let report = change
        .delivery()
        .settled(event.id(), DEADLINE)
        .await
        .expect("a readable journal");
    assert_eq!(report.map(|report| report.state), Some(EventState::Expired));
    assert_eq!(bus.arrived(), []);
    stop.cancel();
}

#[tokio::test]
async fn agents_of_this_server_hear_at_once_what_the_broker_does_not_take() {
    let directory = tempfile::tempdir().expect("a directory");
    let id = recorded(directory.path()).await;
    let (broker, hub) = (ScriptedBus::new(Manner::IsDown), ScriptedBus::new(Manner::Takes));
    let life = Life::begin(directory.path(), None).await;
    life.change
        .start(broker.clone(), Some(hub.clone()), &life.tasks, &life.stop);
    broker.attempted(3).await;
    assert_eq!(hub.arrived(), std::slice::from_ref(&id));
    broker.becomes(Manner::Takes);
    life.published(&id).await;
    assert_eq!(hub.arrived(), [id]);
    life.end().await;
}

#[tokio::test]
async fn agents_nearby_get_each_event_at_once_however_many_wait_for_the_broker() {
    let settings = ChangeSettings::new("config-server:8888:a".parse().expect("an id"));
    let change = Change::open(settings).await.expect("a journal");
    let (tasks, stop) = (Tasks::default(), CancellationToken::new());
    let (broker, nearby) = (ScriptedBus::new(Manner::IsDown), ScriptedBus::new(Manner::Takes));
    change.start(broker, Some(nearby.clone()), &tasks, &stop);
    let mut ids = Vec::new();
    for _ in 0..600 {
        let announced = change.announce(Destination::everyone(), EventKind::Refresh, Cause::Operator);
        ids.push(announced.await.expect("written").id().clone());
    }
    nearby.attempted(ids.len()).await;
    assert_eq!(nearby.arrived(), ids);
    stop.cancel();
    timeout(DEADLINE, tasks.ended_all()).await.expect("in time");
}
