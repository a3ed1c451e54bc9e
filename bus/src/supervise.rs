//! When to connect again, as a pure state machine: events in, the state everybody may see out.
//!
//! Every transport keeps its connection with it. It never gives up: a broker that is away for a
//! night is found again in the morning.

use std::fmt;
use std::time::Duration;

use crate::link::LinkState;

/// How patiently a connection is made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Upper bound of the first delay; it doubles with each failure in a row.
    pub floor: Duration,
    /// Upper bound of every delay.
    pub ceiling: Duration,
    /// A connection that lasted this long forgets the failures before it.
    pub healthy_after: Duration,
    /// The delay after a fault that only a person can mend.
    pub misconfigured: Duration,
}

/// Why a connection ended or was not made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Likely to pass by itself.
    Transient(String),
    /// Refused for a reason that stays until a person changes something.
    Configuration(String),
    /// Nobody uses the connection any more.
    Unwanted,
}

/// What happened to a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// An attempt begins.
    Begun,
    /// The attempt succeeded.
    Established,
    /// The broker takes no messages now.
    Blocked(String),
    /// It takes messages again.
    Unblocked,
    /// The attempt failed, or the connection is gone.
    Ended(Fault),
    /// Nobody wants it any more.
    Stopped,
}

/// The life of one connection, over all its attempts.
#[derive(Debug)]
pub(crate) struct Supervisor {
    patience: Patience,
    state: LinkState,
    failures: u32,
    established: Option<Duration>,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            floor: Duration::from_millis(500),
            ceiling: Duration::from_secs(30),
            healthy_after: Duration::from_secs(60),
            misconfigured: Duration::from_secs(60),
        }
    }
}

impl Fault {
    pub(crate) fn reason(&self) -> &str {
        match self {
            Self::Transient(reason) | Self::Configuration(reason) => reason,
            Self::Unwanted => "nobody uses the connection any more",
        }
    }

    /// The same fault, saying where.
    pub(crate) fn at(self, place: impl fmt::Display) -> Self {
        match self {
            Self::Transient(reason) => Self::Transient(format!("{place}: {reason}")),
            Self::Configuration(reason) => Self::Configuration(format!("{place}: {reason}")),
            Self::Unwanted => Self::Unwanted,
        }
    }

    /// The fault of trying one address after another: the last reason, and hopeless only when
    /// every address is.
    pub(crate) fn then(self, next: Self) -> Self {
        match (self, next) {
            (Self::Transient(_), Self::Configuration(reason)) => Self::Transient(reason),
            (_, next) => next,
        }
    }
}

impl Supervisor {
    pub(crate) fn new(patience: Patience) -> Self {
        Self {
            patience,
            state: LinkState::Connecting { attempt: 1 },
            failures: 0,
            established: None,
        }
    }

    /// The state after `event`, which happened at `now` (since any fixed point); `luck` in `0..1`
    /// draws the delay.
    pub(crate) fn next(&mut self, event: Event, now: Duration, luck: f64) -> &LinkState {
        let up = matches!(self.state, LinkState::Connected | LinkState::Blocked { .. });
        self.state = match event {
            _ if self.state == LinkState::Stopped => LinkState::Stopped,
            Event::Stopped => LinkState::Stopped,
            Event::Begun => LinkState::Connecting {
                attempt: self.failures.saturating_add(1),
            },
            Event::Established => {
                self.established = Some(now);
                LinkState::Connected
            }
            Event::Blocked(reason) if up => LinkState::Blocked { reason },
            Event::Unblocked if up => LinkState::Connected,
            Event::Blocked(_) | Event::Unblocked => return &self.state,
            Event::Ended(fault) => self.wait(fault, now, luck),
        };
        &self.state
    }

    fn wait(&mut self, fault: Fault, now: Duration, luck: f64) -> LinkState {
        let lasted = self.established.take().map(|since| now.saturating_sub(since));
        if lasted.is_some_and(|lasted| lasted >= self.patience.healthy_after) {
            self.failures = 0;
        }
        self.failures = self.failures.saturating_add(1);
        match fault {
            Fault::Transient(reason) => LinkState::Waiting {
                reason,
                delay: self.patience.delay(self.failures, luck),
            },
            Fault::Configuration(reason) => LinkState::Misconfigured {
                reason,
                delay: self.patience.misconfigured,
            },
            Fault::Unwanted => LinkState::Stopped,
        }
    }
}

impl Patience {
    /// Full jitter: anything up to the doubled floor, so that a fleet does not return together.
    fn delay(&self, failures: u32, luck: f64) -> Duration {
        let doubled = self.floor.saturating_mul(1 << failures.saturating_sub(1).min(16));
        doubled.min(self.ceiling).mul_f64(luck.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HALF: f64 = 0.5;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn gone() -> Event {
        Event::Ended(Fault::Transient("gone".to_owned()))
    }

    fn delay(state: &LinkState) -> Duration {
        match state {
            LinkState::Waiting { delay, .. } | LinkState::Misconfigured { delay, .. } => *delay,
            other => panic!("not waiting: {other:?}"),
        }
    }

    #[test]
    fn the_delay_doubles_up_to_its_ceiling() {
        let mut machine = Supervisor::new(Patience::default());
        for expected in [250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000] {
            machine.next(Event::Begun, at(0), HALF);
            assert_eq!(
                delay(machine.next(gone(), at(0), HALF)),
                Duration::from_millis(expected)
            );
        }
    }

    #[test]
    fn a_healthy_connection_forgets_the_failures_and_a_short_one_does_not() {
        for (lasted, attempt) in [(59, 4), (60, 2)] {
            let mut machine = Supervisor::new(Patience::default());
            machine.next(gone(), at(0), HALF);
            machine.next(gone(), at(0), HALF);
            machine.next(Event::Established, at(100), HALF);
            machine.next(gone(), at(100 + lasted), HALF);
            assert_eq!(
                machine.next(Event::Begun, at(200), HALF),
                &LinkState::Connecting { attempt }
            );
        }
    }

    #[test]
    fn what_only_a_person_can_mend_waits_long_and_says_so() {
        let mut machine = Supervisor::new(Patience::default());
        let state = machine.next(Event::Ended(Fault::Configuration("403".to_owned())), at(0), 0.0);
        assert_eq!(
            state,
            &LinkState::Misconfigured {
                reason: "403".to_owned(),
                delay: at(60)
            }
        );
    }

    #[test]
    fn blocking_shows_only_while_connected() {
        let mut machine = Supervisor::new(Patience::default());
        let blocked = || Event::Blocked("low on memory".to_owned());
        assert_eq!(
            machine.next(blocked(), at(0), HALF),
            &LinkState::Connecting { attempt: 1 }
        );
        machine.next(Event::Established, at(0), HALF);
        assert!(matches!(
            machine.next(blocked(), at(1), HALF),
            LinkState::Blocked { .. }
        ));
        assert_eq!(machine.next(Event::Unblocked, at(2), HALF), &LinkState::Connected);
    }

    fn events() -> impl Strategy<Value = Vec<(Event, u64, f64)>> {
        let event = prop_oneof![
            4 => Just(Event::Begun),
            4 => Just(Event::Established),
            1 => Just(Event::Blocked("x".to_owned())),
            1 => Just(Event::Unblocked),
            4 => Just(gone()),
            1 => Just(Event::Ended(Fault::Configuration("x".to_owned()))),
        ];
        proptest::collection::vec((event, 0u64..100, 0.0f64..1.0), 0..200)
    }

    proptest! {
        #[test]
        fn whatever_happens_it_waits_a_bounded_time_and_goes_on(events in events()) {
            let (patience, mut now) = (Patience::default(), 0);
            let mut machine = Supervisor::new(patience);
            for (event, passed, luck) in events {
                now += passed;
                let ended = matches!(event, Event::Ended(_));
                let state = machine.next(event, at(now), luck).clone();
                prop_assert!(state != LinkState::Stopped);
                if ended {
                    prop_assert!(delay(&state) <= patience.ceiling.max(patience.misconfigured));
                }
            }
            prop_assert_eq!(machine.next(Event::Stopped, at(now), HALF), &LinkState::Stopped);
            prop_assert_eq!(machine.next(Event::Begun, at(now), HALF), &LinkState::Stopped);
        }
    }
}
