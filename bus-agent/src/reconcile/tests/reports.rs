//! When the servers are told, and what.

use super::*;

#[test]
fn a_crowd_reports_in_the_second_half_of_the_window_and_an_operator_hears_at_once() {
    let mut machine = at_rest();
    let crowd = Notice {
        report_spread_millis: 10_000,
        ..notice(2)
    };
    machine.step(SECOND, event("e2", Some(crowd)));
    machine.step(SECOND, changed(2));
    let ended = |actions: &[Action]| match actions {
        [Action::Persist, Action::Report(ended)] => ended.clone(),
        other => panic!("{other:?}"),
    };
    let told = ended(&machine.step(2 * SECOND, Input::Applied(Ok(()))));
    assert!((4 * SECOND..=9 * SECOND).contains(&told.report_in), "{told:?}");
    assert_eq!(told.took, SECOND);

    machine.step(3 * SECOND, event("operator", None));
    machine.step(3 * SECOND, changed(3));
    let told = ended(&machine.step(3 * SECOND, Input::Applied(Ok(()))));
    assert_eq!(told.report_in, Duration::ZERO);
}

#[test]
fn every_connection_leads_to_a_look_and_a_report() {
    let mut machine = at_rest();
    assert_eq!(machine.step(SECOND, Input::Connected), [fetch(Some(1), Some(1))]);
    assert_eq!(machine.step(SECOND, same(1)), [report(&[], Outcome::Unchanged)]);
    machine.step(2 * SECOND, Input::Lost);
    machine.step(3 * SECOND, Input::Connected);
    let due = machine.wake_at().expect("a time");
    assert!(due >= 3 * SECOND && due <= 4 * SECOND, "{due:?}");
}

/// Looks once a minute for `minutes`, each look ending as `ended`. Answers the minutes that told.
fn quiet_minutes(machine: &mut Machine, minutes: u32, ended: impl Fn() -> Input) -> Vec<(u32, Outcome)> {
    let mut told = Vec::new();
    for minute in 1..=minutes {
        machine.step(minute * 60 * SECOND, Input::Due);
        let actions = machine.step(minute * 60 * SECOND, ended());
        told.extend(reported(&actions).map(|(outcome, _)| (minute, outcome)));
    }
    told
}

#[test]
fn an_agent_to_which_nothing_happens_says_now_and_then_that_it_is_there() {
    let told = quiet_minutes(&mut at_rest(), 7, || same(1));
    assert_eq!(told, [(3, Outcome::Unchanged), (6, Outcome::Unchanged)]);
}

#[test]
fn an_agent_whose_application_refuses_goes_on_saying_so() {
    let mut machine = at_rest();
    machine.step(Duration::ZERO, event("e", Some(notice(2))));
    machine.step(Duration::ZERO, changed(2));
    let refused = machine.step(Duration::ZERO, Input::Applied(Err(Veto::refused("too large"))));
    assert_eq!(reported(&refused), Some((Outcome::Vetoed, vec!["e"])));
    let told = quiet_minutes(&mut machine, 7, || changed(2));
    assert_eq!(told, [(3, Outcome::Vetoed), (6, Outcome::Vetoed)]);
}

#[test]
fn an_agent_whose_application_refuses_says_so_on_every_connection() {
    let mut machine = at_rest();
    machine.step(SECOND, event("e", Some(notice(2))));
    machine.step(SECOND, changed(2));
    machine.step(SECOND, Input::Applied(Err(Veto::refused("too large"))));
    machine.step(SECOND, Input::Connected);
    let told = machine.step(SECOND, changed(2));
    assert_eq!(reported(&told), Some((Outcome::Vetoed, vec![])));
}
