//! What is older and what is newer, in the log of one server and between several.

use super::*;

#[test]
fn an_overtaken_notice_does_not_lower_what_is_asked_for() {
    let mut machine = at_rest();
    machine.step(SECOND, event("running", None));
    machine.step(SECOND, event("e5", Some(notice(5))));
    machine.step(SECOND, event("e4", Some(notice(4))));
    let after = machine.step(SECOND, same(1));
    assert_eq!(after.last(), Some(&fetch(Some(5), Some(1))));
}

#[test]
fn an_older_answer_is_refused_and_asked_for_again() {
    let mut machine = at_rest();
    machine.step(SECOND, event("e2", Some(notice(2))));
    machine.step(SECOND, changed(2));
    machine.step(SECOND, Input::Applied(Ok(())));
    machine.step(2 * SECOND, Input::Asked);
    let after = machine.step(2 * SECOND, changed(1));
    assert_eq!(reported(&after), Some((Outcome::Failed, vec![])));
    assert_eq!(machine.live(), Some(&revision(2)));
    let due = machine.wake_at().expect("a time");
    assert_eq!(machine.step(due, Input::Due), [fetch(Some(2), Some(2))]);
}

/// The same commit as the log of another server has it.
fn elsewhere(n: u64, sequence: u64) -> Revision {
    Revision {
        moved: Some(MoveId {
            epoch: "other".to_owned(),
            sequence,
        }),
        ..revision(n)
    }
}

/// The bounds of the only fetch among `actions`, as the header has them.
fn floor(actions: &[Action]) -> Vec<String> {
    match actions {
        [Action::Fetch(ask)] => ask.at_least.iter().map(|bound| bound.to_string()).collect(),
        other => panic!("no fetch: {other:?}"),
    }
}

#[test]
fn what_another_log_announces_must_not_be_older_than_what_is_live_either() {
    let mut machine = at_rest();
    let of_another = Notice {
        moved: elsewhere(2, 9).moved,
        ..notice(2)
    };
    let asked = floor(&machine.step(SECOND, event("e2", Some(of_another))));
    assert_eq!(
        asked,
        [format!("{}@other-9", commit(2)), format!("{}@log-1", commit(1)),]
    );
}

#[test]
fn it_says_for_how_long_it_has_known_what_it_asks_for() {
    let mut machine = at_rest();
    machine.step(10 * SECOND, event("running", None));
    let of_another = Notice {
        moved: elsewhere(2, 9).moved,
        ..notice(2)
    };
    machine.step(13 * SECOND, event("e2", Some(of_another)));
    let asked = floor(&machine.0.step(17 * SECOND, same(1))[1..]);
    assert_eq!(
        asked,
        [
            format!("{}@other-9;age=4000", commit(2)),
            format!("{}@log-1;age=17000", commit(1)),
        ]
    );
}

#[test]
fn the_newest_notice_of_each_log_is_asked_for() {
    let mut machine = at_rest();
    machine.step(SECOND, event("running", None));
    let announced = [(2, Some(9)), (3, None), (4, Some(8)), (4, None)];
    for (at, (n, other)) in announced.into_iter().enumerate() {
        let moved = other.map_or(revision(n).moved, |sequence| elsewhere(n, sequence).moved);
        let notice = Notice { moved, ..notice(n) };
        machine.step(SECOND, event(&format!("e{at}"), Some(notice)));
    }
    let asked = floor(&machine.step(SECOND, same(1))[1..]);
    assert_eq!(
        asked,
        [format!("{}@other-9", commit(2)), format!("{}@log-4", commit(4)),]
    );
}

#[test]
fn the_same_commit_in_another_log_does_not_replace_the_move_that_is_remembered() {
    let mut machine = at_rest();
    machine.step(SECOND, Input::Asked);
    let Revision { version, moved, .. } = elsewhere(1, 9);
    let label = None;
    machine.step(SECOND, Input::Looked(Looked::NotModified { version, moved, label }));
    assert_eq!(machine.live(), Some(&revision(1)));
}

#[test]
fn a_move_of_another_log_has_no_order() {
    let mut machine = at_rest();
    machine.step(SECOND, Input::Asked);
    let mut arrived = revision(0);
    arrived.moved = Some("other-1".parse().expect("a move"));
    let arrived = Input::Looked(Looked::Changed(Arrived {
        revision: arrived,
        label: None,
        stale: false,
    }));
    assert_eq!(machine.step(SECOND, arrived), [apply(0)]);
}

#[test]
fn a_server_that_stays_behind_is_asked_for_any_newer_commit_and_believed_only_when_fresh() {
    let mut machine = at_rest();
    machine.step(SECOND, event("e2", Some(notice(2))));
    let mut now = SECOND;
    let ask = loop {
        machine.step(now, failed(Some(5 * SECOND), true));
        now = machine.wake_at().expect("a time");
        let actions = machine.step(now, Input::Due);
        if actions != [fetch(Some(2), Some(1))] {
            break actions;
        }
    };
    assert_eq!(ask, [fetch_newer(1)]);
    assert!(now >= 61 * SECOND && now < 90 * SECOND, "{now:?}");
    let mut other = revision(9);
    other.moved = None;
    let arrived = |stale| {
        Input::Looked(Looked::Changed(Arrived {
            revision: other.clone(),
            label: None,
            stale,
        }))
    };
    assert_eq!(machine.step(now, arrived(true)), []);
    now = machine.wake_at().expect("a time");
    assert_eq!(machine.step(now, Input::Due), [fetch_newer(1)]);
    assert_eq!(machine.step(now, arrived(false)), [apply(9)]);
}
