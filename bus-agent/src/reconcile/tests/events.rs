//! What an event that was heard leads to.

use super::*;

#[test]
fn a_notice_leads_to_one_fetch_that_asks_for_its_commit() {
    let mut machine = at_rest();
    assert_eq!(
        machine.step(SECOND, event("e2", Some(notice(2)))),
        [fetch(Some(2), Some(1))]
    );
    assert_eq!(machine.step(SECOND, changed(2)), [apply(2)]);
    let after = machine.step(SECOND, Input::Applied(Ok(())));
    assert_eq!(after, [Action::Persist, report(&["e2"], Outcome::Applied)]);
    assert_eq!(machine.live(), Some(&revision(2)));
}

#[test]
fn what_is_not_meant_does_nothing() {
    let elsewhere = [
        Notice {
            affects: Affects::union([Scope::new(Some("stock"), None)]),
            ..notice(2)
        },
        Notice {
            affects: Affects::union([]),
            ..notice(2)
        },
        Notice {
            label: "dev".parse().expect("a label"),
            ..notice(2)
        },
    ];
    for notice in elsewhere {
        let mut machine = at_rest();
        let before = machine.wake_at();
        assert_eq!(machine.step(SECOND, event("e", Some(notice))), []);
        assert_eq!(machine.wake_at(), before);
    }
}

#[test]
fn an_event_that_was_heard_does_nothing_again() {
    let mut machine = at_rest();
    assert_eq!(machine.step(SECOND, event("e", Some(notice(2)))).len(), 1);
    machine.step(SECOND, changed(2));
    machine.step(SECOND, Input::Applied(Ok(())));
    assert_eq!(machine.step(2 * SECOND, event("e", Some(notice(2)))), []);
}

#[test]
fn a_stranger_s_event_without_a_notice_leads_to_a_look() {
    let mut machine = at_rest();
    assert_eq!(machine.step(SECOND, event("e", None)), [fetch(Some(1), Some(1))]);
    assert_eq!(machine.step(SECOND, same(1)), [report(&["e"], Outcome::Unchanged)]);
}

#[test]
fn a_push_during_a_round_leads_to_exactly_one_more() {
    let mut machine = at_rest();
    machine.step(SECOND, event("e2", Some(notice(2))));
    for n in 3..9 {
        assert_eq!(machine.step(SECOND, event(&format!("e{n}"), Some(notice(n)))), []);
    }
    machine.step(SECOND, changed(2));
    let after = machine.step(SECOND, Input::Applied(Ok(())));
    assert_eq!(after.last(), Some(&fetch(Some(8), Some(2))));
    machine.step(SECOND, changed(8));
    let after = machine.step(SECOND, Input::Applied(Ok(())));
    let answered = vec!["e3", "e4", "e5", "e6", "e7", "e8"];
    assert_eq!(reported(&after), Some((Outcome::Applied, answered)));
    assert!(machine.wake_at() > Some(40 * SECOND));
}

#[test]
fn fifty_events_lead_to_two_fetches_at_most() {
    let mut machine = at_rest();
    let mut fetches = 0;
    for n in 2..52 {
        fetches += machine.step(SECOND, event(&format!("e{n}"), Some(notice(n)))).len();
    }
    machine.step(SECOND, changed(2));
    let after = machine.step(SECOND, Input::Applied(Ok(())));
    fetches += after.iter().filter(|action| matches!(action, Action::Fetch(_))).count();
    assert_eq!(fetches, 2);
}

#[test]
fn the_spread_window_delays_the_fetch_and_gathers_what_comes_meanwhile() {
    let mut machine = at_rest();
    let spread = Notice {
        spread_millis: 10_000,
        ..notice(2)
    };
    assert_eq!(machine.step(SECOND, event("e2", Some(spread))), []);
    let due = machine.wake_at().expect("a time");
    assert!(due > SECOND && due <= 11 * SECOND, "{due:?}");
    let later = Notice {
        spread_millis: 10_000,
        ..notice(3)
    };
    assert_eq!(machine.step(SECOND, event("e3", Some(later))), []);
    let due = machine.wake_at().expect("a time").min(due);
    assert_eq!(machine.step(due, Input::Due), [fetch(Some(3), Some(1))]);
}

#[test]
fn environment_changes_change_nothing_unless_they_are_honoured_and_are_answered_either_way() {
    let origin: BusId = "config-server:8888:a".parse().expect("an id");
    let values = IndexMap::from([("x".to_owned(), Some("1".to_owned()))]);
    let mut event = BusEvent::refresh(EventId::received("e"), 0, &origin, Destination::everyone());
    event.kind = contract::EventKind::EnvironmentChange(values.clone());
    let heard = Input::Heard(Message { event, notice: None });
    assert_eq!(
        at_rest().step(SECOND, heard.clone()),
        [report(&["e"], Outcome::Unchanged)]
    );
    let mut honouring = Machine(at_rest().0.with_pins(true));
    assert_eq!(honouring.step(SECOND, heard), [Action::Pin(values)]);
    let on_top = Revision {
        digest: "pinned".to_owned(),
        ..revision(1)
    };
    honouring.step(SECOND, Input::Local(on_top));
    let after = honouring.step(SECOND, Input::Applied(Ok(())));
    assert_eq!(reported(&after), Some((Outcome::Applied, vec!["e"])));
}

#[test]
fn a_shutdown_event_asks_once_and_only_where_it_is_honoured_and_made_since_the_start() {
    let origin: BusId = "ops:1:a".parse().expect("an id");
    for (honoured, made, expected) in [
        (false, 7_000, Shutdown::NotHonoured),
        (true, 6_999, Shutdown::Outdated),
        (true, 7_000, Shutdown::Obeyed),
    ] {
        let mut event = BusEvent::refresh(EventId::received("e"), made, &origin, Destination::everyone());
        event.kind = contract::EventKind::Shutdown;
        let heard = Input::Heard(Message { event, notice: None });
        let mut machine = Machine(at_rest().0.with_shutdowns(honoured, 7_000));
        let asked = Action::Shutdown {
            event: EventId::received("e"),
            origin: origin.to_string(),
            verdict: expected,
        };
        assert_eq!(machine.step(SECOND, heard.clone()), [asked]);
        assert_eq!(machine.step(SECOND, heard), [], "{expected:?} again");
    }
}
