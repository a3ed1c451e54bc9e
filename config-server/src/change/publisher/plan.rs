//! What the publisher does next.

use std::collections::HashMap;
use std::time::Duration;

use bus::TransportError;
use tokio::time::Instant;

const FIRST_DELAY: Duration = Duration::from_millis(250);
const LONGEST_DELAY: Duration = Duration::from_secs(30);

/// One event in the outbox, as far as the decision needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queued {
    pub number: u64,
    /// Milliseconds since 1970 at which it is given up.
    pub expires: Option<u64>,
}

/// Both times of one moment.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Milliseconds since 1970: what expiry is measured in, for it outlives the process.
    pub wall: u64,
    /// What delays are measured in: it never jumps.
    pub steady: Instant,
}

/// One thing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Write down that the bus has confirmed this event at `time`.
    Record { number: u64, time: u64 },
    /// Give this event up.
    Expire(u64),
    /// Hand this event to the bus.
    Send(u64),
    /// Nothing until then.
    Wait(Instant),
    /// Nothing until something new is queued.
    Rest,
}

/// What the publisher remembers between two steps. All of it may be lost: the journal knows enough.
#[derive(Debug, Default)]
pub struct Plan {
    /// Confirmed by the bus, but not written down yet, and when it was.
    confirmed: HashMap<u64, u64>,
    /// The journal cannot be written: nothing is sent, for it could not be marked either.
    journal: Pause,
    /// The bus takes nothing at all.
    bus: Pause,
    /// Events that the bus refuses. They must not hold up the others.
    refused: HashMap<u64, Pause>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Pause {
    failures: u32,
    until: Option<Instant>,
}

impl Plan {
    /// Decides over `queued`, which is in order.
    #[must_use]
    pub fn next(&self, queued: &[Queued], now: Moment) -> Step {
        if let Some(until) = self.journal.after(now.steady) {
            return Step::Wait(until);
        }
        let done = |event: &Queued| Some((event.number, *self.confirmed.get(&event.number)?));
        if let Some((number, time)) = queued.iter().find_map(done) {
            return Step::Record { number, time };
        }
        let overdue = |event: &&Queued| event.expires.is_some_and(|expires| expires <= now.wall);
        if let Some(event) = queued.iter().find(overdue) {
            return Step::Expire(event.number);
        }
        if let Some(until) = self.bus.after(now.steady) {
            return if queued.is_empty() {
                Step::Rest
            } else {
                Step::Wait(until)
            };
        }
        let held = |event: &Queued| self.refused.get(&event.number)?.after(now.steady);
        match queued.iter().find(|event| held(event).is_none()) {
            Some(event) => Step::Send(event.number),
            None => queued.iter().filter_map(held).min().map_or(Step::Rest, Step::Wait),
        }
    }

    /// Forgets what is not `queued` any more: a newer event may have taken its place.
    pub fn keep(&mut self, queued: &[Queued]) {
        let waits = |number: &u64| queued.iter().any(|event| event.number == *number);
        self.confirmed.retain(|number, _| waits(number));
        self.refused.retain(|number, _| waits(number));
    }

    /// The bus has taken the event.
    pub fn confirmed(&mut self, number: u64, time: u64) {
        self.bus = Pause::default();
        self.refused.remove(&number);
        self.confirmed.insert(number, time);
    }

    /// The bus has not taken the event. `jitter` is between 0 and 1.
    pub fn failed(&mut self, number: u64, error: &TransportError, now: Instant, jitter: f64) {
        let pause = match error {
            TransportError::Refused(_) => self.refused.entry(number).or_default(),
            _ => &mut self.bus,
        };
        pause.lengthen(now, jitter);
    }

    /// The connection is there again: no reason to wait any longer.
    pub fn reconnected(&mut self) {
        self.bus.until = None;
    }

    /// A step's outcome is written down; the event is out of the outbox.
    pub fn settled(&mut self, number: u64) {
        self.journal = Pause::default();
        self.confirmed.remove(&number);
        self.refused.remove(&number);
    }

    /// The journal could not be written.
    pub fn unwritable(&mut self, now: Instant, jitter: f64) {
        self.journal.lengthen(now, jitter);
    }

    /// Whether something keeps events from leaving.
    #[must_use]
    pub fn is_hindered(&self) -> bool {
        self.journal.failures > 0 || self.bus.failures > 0 || !self.refused.is_empty()
    }
}

impl Pause {
    /// The end of the pause, when it lies after `now`.
    fn after(&self, now: Instant) -> Option<Instant> {
        self.until.filter(|until| *until > now)
    }

    /// Doubles up to a limit; half of each delay is jitter, so that servers do not march in step.
    fn lengthen(&mut self, now: Instant, jitter: f64) {
        let doubled = FIRST_DELAY * 2_u32.saturating_pow(self.failures.min(16));
        let half = doubled.min(LONGEST_DELAY) / 2;
        self.until = Some(now + half + half.mul_f64(jitter.clamp(0.0, 1.0)));
        self.failures = self.failures.saturating_add(1);
    }
}
