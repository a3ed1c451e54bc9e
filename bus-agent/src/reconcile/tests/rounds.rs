//! How rounds begin without an event, and what their ends lead to.

use super::*;

#[test]
fn without_a_cause_it_looks_within_the_interval_and_is_quiet() {
    let mut machine = at_rest();
    let due = machine.wake_at().expect("a time");
    assert!(due >= 45 * SECOND && due <= 60 * SECOND, "{due:?}");
    assert_eq!(machine.step(due, Input::Due), [fetch(Some(1), Some(1))]);
    assert_eq!(machine.step(due, same(1)), []);
    assert!(machine.wake_at() >= Some(due + 45 * SECOND));
}

#[test]
fn a_commit_that_changes_nothing_moves_the_version_and_is_told() {
    let mut machine = at_rest();
    let due = machine.wake_at().expect("a time");
    machine.step(due, Input::Due);
    assert_eq!(
        machine.step(due, same(2)),
        [Action::Persist, report(&[], Outcome::Unchanged)]
    );
    assert_eq!(machine.live().and_then(Revision::commit), Some(commit(2)));
    assert_eq!(machine.live().map(|live| live.digest.as_str()), Some("d1"));
}

#[test]
fn failures_back_off_keep_their_cause_and_are_told_once_in_a_while() {
    let mut machine = at_rest();
    machine.step(SECOND, event("e2", Some(notice(2))));
    let told = machine.step(SECOND, failed(None, false));
    assert_eq!(reported(&told), Some((Outcome::Failed, vec!["e2"])));
    let (mut now, mut told) = (SECOND, SECOND);
    for failure in 1..20 {
        let due = machine.wake_at().expect("a time");
        let window = (500 * Duration::from_millis(1)) * 2_u32.pow(failure.min(7) - 1);
        assert!(due > now && due <= now + window.min(30 * SECOND), "{failure}: {due:?}");
        now = due;
        assert_eq!(machine.step(now, Input::Due), [fetch(Some(2), Some(1))]);
        let again = reported(&machine.step(now, failed(None, false))).is_some();
        assert_eq!(again, now - told >= pace().sign_of_life, "at {now:?}");
        told = if again { now } else { told };
    }
    let due = machine.wake_at().expect("a time");
    machine.step(due, Input::Due);
    machine.step(due, changed(2));
    let after = machine.step(due, Input::Applied(Ok(())));
    assert_eq!(reported(&after), Some((Outcome::Applied, vec!["e2"])));
    assert_eq!(machine.failures(), 0);
}

#[test]
fn the_server_s_wish_when_to_come_back_is_honoured_unless_an_operator_asks() {
    let mut machine = at_rest();
    machine.step(SECOND, event("e2", Some(notice(2))));
    machine.step(SECOND, failed(Some(20 * SECOND), true));
    let due = machine.wake_at().expect("a time");
    assert!(due >= 21 * SECOND && due <= 22 * SECOND, "{due:?}");
    assert_eq!(machine.step(2 * SECOND, event("e3", Some(notice(3)))), []);
    assert_eq!(machine.step(3 * SECOND, Input::Asked), [fetch(Some(3), Some(1))]);
}

#[test]
fn a_veto_keeps_the_old_values_and_is_not_offered_again_until_somebody_asks() {
    let mut machine = at_rest();
    machine.step(SECOND, event("e2", Some(notice(2))));
    machine.step(SECOND, changed(2));
    let after = machine.step(SECOND, Input::Applied(Err(Veto::refused("too small"))));
    assert_eq!(reported(&after), Some((Outcome::Vetoed, vec!["e2"])));
    assert_eq!(machine.live(), Some(&revision(1)));
    let due = machine.wake_at().expect("a time");
    machine.step(due, Input::Due);
    assert_eq!(machine.step(due, changed(2)), []);
    machine.step(due, Input::Asked);
    assert_eq!(machine.step(due, changed(2)), [apply(2)]);
}

#[test]
fn an_apply_that_failed_is_tried_again_after_a_while() {
    let mut machine = at_rest();
    machine.step(SECOND, event("e2", Some(notice(2))));
    machine.step(SECOND, changed(2));
    let after = machine.step(SECOND, Input::Applied(Err(Veto::failed("the command ended with 1"))));
    assert_eq!(reported(&after), Some((Outcome::Failed, vec!["e2"])));
    let due = machine.wake_at().expect("a time");
    assert!(due <= 2 * SECOND);
    machine.step(due, Input::Due);
    assert_eq!(machine.step(due, changed(2)), [apply(2)]);
    let after = machine.step(due, Input::Applied(Ok(())));
    assert_eq!(reported(&after), Some((Outcome::Applied, vec!["e2"])));
}

#[test]
fn what_lies_on_top_is_applied_without_a_fetch_and_after_a_running_round() {
    let mut machine = at_rest();
    let on_top = |n: u64| Revision {
        digest: format!("d{n}+top"),
        ..revision(n)
    };
    let applied = Action::Apply("d1+top".to_owned());
    assert_eq!(machine.step(SECOND, Input::Local(on_top(1))), [applied]);
    machine.step(SECOND, Input::Applied(Ok(())));
    assert_eq!(machine.step(SECOND, Input::Local(on_top(1))), []);
    machine.step(SECOND, Input::Asked);
    assert_eq!(machine.step(SECOND, Input::Local(revision(1))), []);
    let after = machine.step(SECOND, failed(None, false));
    assert_eq!(after.last(), Some(&apply(1)));
}

#[test]
fn an_end_of_no_round_is_ignored() {
    let mut machine = at_rest();
    assert_eq!(machine.step(SECOND, changed(2)), []);
    assert_eq!(machine.step(SECOND, Input::Applied(Ok(()))), []);
    assert_eq!(machine.live(), Some(&revision(1)));
}
