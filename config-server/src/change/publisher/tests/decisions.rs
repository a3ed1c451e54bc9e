//! What comes next, by table and by property.

use std::time::Duration;

use bus::TransportError;
use proptest::prelude::*;
use tokio::time::Instant;

use crate::change::publisher::plan::{Moment, Plan, Queued, Step};

fn queued(numbers: &[u64]) -> Vec<Queued> {
    let event = |&number| Queued { number, expires: None };
    numbers.iter().map(event).collect()
}

fn moment(steady: Instant) -> Moment {
    Moment { wall: 1_000, steady }
}

fn down() -> TransportError {
    TransportError::NotConnected("no broker".to_owned())
}

fn refused() -> TransportError {
    TransportError::Refused("too long".to_owned())
}

#[test]
fn events_leave_in_order() {
    let now = moment(Instant::now());
    assert_eq!(Plan::default().next(&queued(&[3, 4]), now), Step::Send(3));
    assert_eq!(Plan::default().next(&[], now), Step::Rest);
}

#[test]
fn a_confirmed_event_is_written_down_before_anything_else_happens() {
    let mut plan = Plan::default();
    plan.confirmed(3, 77);
    let now = moment(Instant::now());
    assert_eq!(plan.next(&queued(&[3, 4]), now), Step::Record { number: 3, time: 77 });
    plan.settled(3);
    assert_eq!(plan.next(&queued(&[4]), now), Step::Send(4));
}

#[test]
fn nothing_overtakes_while_the_bus_is_away() {
    let mut plan = Plan::default();
    let start = Instant::now();
    plan.failed(3, &down(), start, 1.0);
    let Step::Wait(until) = plan.next(&queued(&[3, 4]), moment(start)) else {
        panic!("it waits");
    };
    assert_eq!(until - start, Duration::from_millis(250));
    assert_eq!(plan.next(&queued(&[3, 4]), moment(until)), Step::Send(3));
    assert!(plan.is_hindered());
    plan.reconnected();
    assert_eq!(plan.next(&queued(&[3, 4]), moment(start)), Step::Send(3));
}

#[test]
fn delays_double_up_to_a_limit_and_begin_anew_after_a_success() {
    let mut plan = Plan::default();
    let start = Instant::now();
    let mut delays = Vec::new();
    for _ in 0..20 {
        plan.failed(3, &down(), start, 1.0);
        let Step::Wait(until) = plan.next(&queued(&[3]), moment(start)) else {
            panic!("it waits");
        };
        delays.push((until - start).as_millis());
    }
    assert_eq!(delays[..4], [250, 500, 1_000, 2_000]);
    assert_eq!(delays.last(), Some(&30_000));
    plan.confirmed(3, 1);
    plan.settled(3);
    assert!(!plan.is_hindered());
    assert_eq!(plan.next(&queued(&[4]), moment(start)), Step::Send(4));
}

#[test]
fn a_refused_event_lets_the_others_pass() {
    let mut plan = Plan::default();
    let start = Instant::now();
    plan.failed(3, &refused(), start, 1.0);
    assert_eq!(plan.next(&queued(&[3, 4]), moment(start)), Step::Send(4));
    assert!(matches!(plan.next(&queued(&[3]), moment(start)), Step::Wait(_)));
    let later = start + Duration::from_secs(1);
    assert_eq!(plan.next(&queued(&[3, 4]), moment(later)), Step::Send(3));
}

#[test]
fn a_refused_event_whose_place_another_took_hinders_nobody() {
    let now = Instant::now();
    let mut plan = Plan::default();
    plan.failed(1, &refused(), now, 0.0);
    plan.keep(&queued(&[1, 2]));
    assert!(plan.is_hindered());
    plan.keep(&queued(&[2]));
    assert!(!plan.is_hindered());
}

#[test]
fn only_what_has_a_time_limit_expires_and_not_once_it_is_confirmed() {
    let mut plan = Plan::default();
    let mut events = queued(&[3, 4, 5]);
    events[1].expires = Some(1_000);
    let start = Instant::now();
    plan.failed(3, &down(), start, 1.0);
    assert_eq!(plan.next(&events, moment(start)), Step::Expire(4));
    plan.confirmed(4, 9);
    assert_eq!(plan.next(&events, moment(start)), Step::Record { number: 4, time: 9 });
}

#[test]
fn nothing_is_sent_while_the_journal_cannot_be_written() {
    let mut plan = Plan::default();
    let start = Instant::now();
    plan.confirmed(3, 9);
    plan.unwritable(start, 1.0);
    let Step::Wait(until) = plan.next(&queued(&[3, 4]), moment(start)) else {
        panic!("it waits");
    };
    assert_eq!(
        plan.next(&queued(&[3, 4]), moment(until)),
        Step::Record { number: 3, time: 9 }
    );
}

/// What the world answers to one step.
#[derive(Debug, Clone, Copy)]
enum Answer {
    Well,
    Down,
    Refused,
    Unwritable,
    /// The process ends after the step was done and before that is known to it.
    Crash,
}

fn answers() -> impl Strategy<Value = Vec<Answer>> {
    let answer = prop_oneof![
        4 => Just(Answer::Well),
        1 => Just(Answer::Down),
        1 => Just(Answer::Refused),
        1 => Just(Answer::Unwritable),
        1 => Just(Answer::Crash),
    ];
    proptest::collection::vec(answer, 0..60)
}

proptest! {
    /// Whatever goes wrong, for as long as it does: once it ends, every event has left, and is known
    /// to have left; and none is called published that has not.
    #[test]
    fn no_event_is_lost(count in 1_u64..8, faults in answers()) {
        let mut outbox: Vec<u64> = (1..=count).collect();
        let mut bus = Vec::new();
        let mut plan = Plan::default();
        let mut clock = Instant::now();
        let mut faults = faults.into_iter();
        for _ in 0..500 {
            let answer = |faults: &mut dyn Iterator<Item = Answer>| faults.next().unwrap_or(Answer::Well);
            match plan.next(&queued(&outbox), moment(clock)) {
                Step::Rest => break,
                Step::Wait(until) => clock = until,
                Step::Expire(_) => prop_assert!(false, "nothing expires here"),
                Step::Send(number) => match answer(&mut faults) {
                    Answer::Down => plan.failed(number, &down(), clock, 0.5),
                    Answer::Refused => plan.failed(number, &refused(), clock, 0.5),
                    Answer::Crash => {
                        bus.push(number);
                        plan = Plan::default();
                    }
                    Answer::Well | Answer::Unwritable => {
                        bus.push(number);
                        plan.confirmed(number, 1);
                    }
                },
                Step::Record { number, .. } => match answer(&mut faults) {
                    Answer::Well | Answer::Down | Answer::Refused => {
                        prop_assert!(bus.contains(&number));
                        outbox.retain(|queued| *queued != number);
                        plan.settled(number);
                    }
                    Answer::Unwritable => plan.unwritable(clock, 0.5),
                    Answer::Crash => plan = Plan::default(),
                },
            }
        }
        prop_assert_eq!(&outbox, &[] as &[u64]);
        let mut arrived = bus.clone();
        arrived.sort_unstable();
        arrived.dedup();
        prop_assert_eq!(arrived, (1..=count).collect::<Vec<_>>());
    }

    /// While nothing is refused, first arrivals are in order.
    #[test]
    fn order_is_kept(count in 1_u64..8, failures in proptest::collection::vec(any::<bool>(), 0..40)) {
        let mut outbox: Vec<u64> = (1..=count).collect();
        let mut bus = Vec::new();
        let mut plan = Plan::default();
        let mut clock = Instant::now();
        let mut failures = failures.into_iter();
        loop {
            match plan.next(&queued(&outbox), moment(clock)) {
                Step::Rest => break,
                Step::Wait(until) => clock = until,
                Step::Send(number) if failures.next().unwrap_or(false) => plan.failed(number, &down(), clock, 0.5),
                Step::Send(number) => {
                    bus.push(number);
                    plan.confirmed(number, 1);
                }
                Step::Record { number, .. } | Step::Expire(number) => {
                    outbox.retain(|queued| *queued != number);
                    plan.settled(number);
                }
            }
        }
        prop_assert_eq!(bus, (1..=count).collect::<Vec<_>>());
    }
}
