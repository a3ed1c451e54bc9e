use std::ops::Deref;

use contract::{Affects, BusEvent, BusId, CommitId, Destination, Notice, Scope};

use super::*;
use crate::follows::Follows;

const SECOND: Duration = Duration::from_secs(1);

fn pace() -> Pace {
    Pace {
        interval: 60 * SECOND,
        ..Pace::default()
    }
}

/// What is tested, but for how long it has known what it asks for.
struct Machine(Reconciler);

impl Machine {
    fn step(&mut self, now: Duration, input: Input) -> Vec<Action> {
        let mut actions = self.0.step(now, input);
        for action in &mut actions {
            if let Action::Fetch(ask) = action {
                ask.at_least.iter_mut().for_each(|bound| bound.age = None);
            }
        }
        actions
    }
}

impl Deref for Machine {
    type Target = Reconciler;

    fn deref(&self) -> &Reconciler {
        &self.0
    }
}

/// An agent of `orders` with the label `main` that has not looked yet.
fn fresh() -> Machine {
    let label = Some("main".parse().expect("a label"));
    let follows = Follows::new("orders".parse().expect("a name"), vec![], label);
    Machine(Reconciler::new(follows, pace(), 7))
}

/// The same, at rest with revision 1 live at the time 0.
fn at_rest() -> Machine {
    let mut machine = fresh();
    assert_eq!(machine.step(Duration::ZERO, Input::Due), [fetch(None, None)]);
    assert_eq!(machine.step(Duration::ZERO, changed(1)), [apply(1)]);
    let after = machine.step(Duration::ZERO, Input::Applied(Ok(())));
    assert_eq!(after, [Action::Persist, report(&[], Outcome::Applied)]);
    machine
}

fn commit(n: u64) -> CommitId {
    format!("{n:040}").parse().expect("a commit")
}

fn revision(n: u64) -> Revision {
    Revision {
        digest: format!("d{n}"),
        etag: Some(format!("\"d{n}\"")),
        version: Some(commit(n).to_string()),
        moved: Some(MoveId {
            epoch: "log".to_owned(),
            sequence: n,
        }),
    }
}

fn changed(n: u64) -> Input {
    Input::Looked(Looked::Changed(Arrived {
        revision: revision(n),
        label: None,
        stale: false,
    }))
}

fn same(n: u64) -> Input {
    let Revision { version, moved, .. } = revision(n);
    Input::Looked(Looked::NotModified {
        version,
        moved,
        label: None,
    })
}

fn failed(retry_after: Option<Duration>, behind: bool) -> Input {
    Input::Looked(Looked::Failed(Failed {
        reason: "away".to_owned(),
        retry_after,
        behind,
    }))
}

fn event(id: &str, notice: Option<Notice>) -> Input {
    let origin: BusId = "config-server:8888:a".parse().expect("an id");
    Input::Heard(Message {
        event: BusEvent::refresh(EventId::received(id), 0, &origin, Destination::everyone()),
        notice,
    })
}

fn notice(n: u64) -> Notice {
    Notice {
        label: "main".parse().expect("a label"),
        from: None,
        to: commit(n),
        affects: Affects::All,
        spread_millis: 0,
        report_spread_millis: 0,
        moved: revision(n).moved,
    }
}

fn fetch(at_least: Option<u64>, etag: Option<u64>) -> Action {
    Action::Fetch(Ask {
        at_least: at_least.map(bound).into_iter().collect(),
        etag: etag.and_then(|n| revision(n).etag),
    })
}

fn bound(n: u64) -> AtLeast {
    AtLeast {
        moved: revision(n).moved,
        ..commit(n).into()
    }
}

/// A fetch of anything newer than what is known.
fn fetch_newer(etag: u64) -> Action {
    Action::Fetch(Ask {
        at_least: vec![AtLeast {
            commit: None,
            moved: None,
            age: None,
        }],
        etag: revision(etag).etag,
    })
}

fn apply(n: u64) -> Action {
    Action::Apply(revision(n).digest)
}

fn report(events: &[&str], outcome: Outcome) -> Action {
    Action::Report(Ended {
        events: events.iter().map(|id| EventId::received(id)).collect(),
        outcome,
        reason: None,
        took: Duration::ZERO,
        report_in: Duration::ZERO,
    })
}

/// The outcome of the only report among `actions`, with the events it answers.
fn reported(actions: &[Action]) -> Option<(Outcome, Vec<&str>)> {
    let mut reports = actions.iter().filter_map(|action| match action {
        Action::Report(ended) => Some((ended.outcome, ended.events.iter().map(EventId::as_str).collect())),
        _ => None,
    });
    let report = reports.next();
    assert!(reports.next().is_none(), "more than one report: {actions:?}");
    report
}

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
fn an_overtaken_notice_does_not_lower_what_is_asked_for() {
    let mut machine = at_rest();
    machine.step(SECOND, event("running", None));
    machine.step(SECOND, event("e5", Some(notice(5))));
    machine.step(SECOND, event("e4", Some(notice(4))));
    let after = machine.step(SECOND, same(1));
    assert_eq!(after.last(), Some(&fetch(Some(5), Some(1))));
}

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
fn every_connection_leads_to_a_look_and_a_report() {
    let mut machine = at_rest();
    assert_eq!(machine.step(SECOND, Input::Connected), [fetch(Some(1), Some(1))]);
    assert_eq!(machine.step(SECOND, same(1)), [report(&[], Outcome::Unchanged)]);
    machine.step(2 * SECOND, Input::Lost);
    machine.step(3 * SECOND, Input::Connected);
    let due = machine.wake_at().expect("a time");
    assert!(due >= 3 * SECOND && due <= 4 * SECOND, "{due:?}");
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
        let asked = Action::Shutdown(Asked {
            event: EventId::received("e"),
            origin: origin.to_string(),
            shutdown: expected,
        });
        assert_eq!(machine.step(SECOND, heard.clone()), [asked]);
        assert_eq!(machine.step(SECOND, heard), [], "{expected:?} again");
    }
}

#[test]
fn an_end_of_no_round_is_ignored() {
    let mut machine = at_rest();
    assert_eq!(machine.step(SECOND, changed(2)), []);
    assert_eq!(machine.step(SECOND, Input::Applied(Ok(()))), []);
    assert_eq!(machine.live(), Some(&revision(1)));
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
