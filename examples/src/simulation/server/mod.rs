//! A config server: its journal, heads, publisher's plan and delivery reports are the product's own; its
//! mirror, disk and clock are played. What outlives the process is in [`Server`], the rest in [`Life`].
//!
//! - [`log`]: writes head moves down, as long as the disk takes them
//! - [`look`]: from a fetch to the heads
//! - [`read`]: from the heads to an answer
//! - [`publish`]: from the outbox to the bus

mod log;
mod look;
mod publish;
mod read;

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use config_server::change::Change;
use config_server::change::clock::Clock;
use config_server::change::journal::Journal;
use config_server::change::publisher::plan::{Moment, Plan};
use config_server::settings::ChangeSettings;
use config_server::store::heads::Heads;
use config_server::store::repository::rounds::Rounds;
use contract::BusId;
use futures_util::FutureExt;
use tokio::time::Instant;

use super::agenda::Millis;
use super::remote::Refs;
use super::sight;
use super::world::Request;

pub use look::Written;
pub use publish::Next;
pub use read::Reply;

/// The repository's name in ids and logs.
const REPOSITORY: &str = "https://git.example.org/config";
/// Wall clocks begin here, and may be set wrong by less.
const DAWN: u64 = 1_700_000_000_000;

/// What a server is, whether or not its process runs.
#[derive(Debug)]
pub struct Server {
    pub number: usize,
    pub bus_id: BusId,
    /// Which process it is; what an earlier one has started does not count any more.
    pub incarnation: u64,
    pub life: Option<Life>,
    /// Nothing can be written down.
    pub disk_full: bool,
    /// How far its wall clock is off.
    pub skew: i64,
    journal: Journal,
    mirror: Mirror,
    wall: Arc<AtomicU64>,
    began: Instant,
}

/// What the mirror on disk holds.
#[derive(Debug, Default)]
struct Mirror {
    refs: Option<Refs>,
    known: BTreeSet<usize>,
}

/// One process.
#[derive(Debug)]
pub struct Life {
    pub rounds: Rounds<Request>,
    pub plan: Plan,
    /// When a look may start that only a reader wants.
    pub rested_at: Millis,
    /// The number of the event that is on its way to the bus.
    pub sending: Option<u64>,
    /// The number of the last event shown to the agents of this server.
    pub shown: u64,
    pub change: Arc<Change>,
    /// The last look failed.
    pub stale: bool,
    log: Arc<log::Log>,
    heads: Heads,
}

impl Server {
    /// A server that was never started.
    #[must_use]
    pub fn new(number: usize, began: Instant) -> Self {
        Self {
            number,
            bus_id: format!("config-server:8888:{number}").parse().expect("a bus id"),
            incarnation: 0,
            life: None,
            disk_full: false,
            skew: 0,
            journal: Journal::in_memory().expect("memory"),
            mirror: Mirror::default(),
            wall: Arc::new(AtomicU64::new(DAWN)),
            began,
        }
    }

    /// Begins a process over what is on disk.
    pub fn start(&mut self) {
        let wall = Arc::clone(&self.wall);
        let clock = Clock::showing(move || wall.load(Ordering::Relaxed));
        let settings = ChangeSettings::new(self.bus_id.clone());
        let change = at_once(Change::over(self.journal.clone(), settings, clock)).expect("a readable journal");
        let log = Arc::new(log::Log::new(Arc::clone(&change)));
        let heads = Heads::new(
            REPOSITORY.into(),
            sight::layout(),
            Arc::clone(&log) as _,
            Arc::default(),
        );
        self.incarnation += 1;
        self.life = Some(Life {
            rounds: Rounds::new(),
            plan: Plan::default(),
            rested_at: 0,
            sending: None,
            shown: 0,
            change,
            stale: false,
            log,
            heads,
        });
    }

    /// Ends the process without warning.
    pub fn crash(&mut self) {
        self.life = None;
        self.incarnation += 1;
    }

    /// Sets the wall clock.
    pub fn tell_time(&self, now: Millis) {
        self.wall
            .store((DAWN + now).saturating_add_signed(self.skew), Ordering::Relaxed);
    }

    /// Both times of now.
    #[must_use]
    pub fn moment(&self, now: Millis) -> Moment {
        Moment {
            wall: self.wall.load(Ordering::Relaxed),
            steady: self.instant(now),
        }
    }

    /// Now, as the publisher measures delays.
    #[must_use]
    pub fn instant(&self, now: Millis) -> Instant {
        self.began + Duration::from_millis(now)
    }

    /// How long it is until `instant`.
    #[must_use]
    pub fn until(&self, now: Millis, instant: Instant) -> Millis {
        let rest = instant.saturating_duration_since(self.instant(now));
        u64::try_from(rest.as_millis()).unwrap_or(u64::MAX).saturating_add(1)
    }
}

/// The value of a future that has nothing to wait for: the journal works on its caller's thread.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("nothing here waits")
}
