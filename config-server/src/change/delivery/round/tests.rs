use contract::{Affects, BusEvent, BusId, Message, Notice};
use indexmap::IndexMap;

use super::*;

const PUBLISHED: u64 = 1_000_000;

fn commit(digit: char) -> CommitId {
    digit.to_string().repeat(40).parse().expect("a commit")
}

fn event(kind: EventKind, to: Option<char>, published: Option<u64>) -> StoredEvent {
    let origin: BusId = "config-server:8888:a".parse().expect("an id");
    let event = BusEvent::refresh(EventId::received("e"), PUBLISHED, &origin, Destination::everyone());
    let notice = to.map(|to| Notice {
        label: "main".parse().expect("a label"),
        from: None,
        to: commit(to),
        affects: Affects::All,
        spread_millis: 0,
        report_spread_millis: 0,
        moved: None,
    });
    StoredEvent {
        number: 1,
        message: Message {
            event: BusEvent { kind, ..event },
            notice,
        },
        cause: "operator".to_owned(),
        state: published.map_or(EventState::Queued, |_| EventState::Published),
        attempts: 0,
        created: PUBLISHED - 10,
        expires: None,
        published,
    }
}

fn report(outcome: Outcome, running: char) -> Report {
    Report {
        bus_id: "orders:1:a".parse().expect("an id"),
        application: "orders".parse().expect("a name"),
        profiles: Vec::new(),
        label: None,
        events: Vec::new(),
        commit: Some(commit(running)),
        digest: None,
        outcome,
        reason: None,
        millis: 1,
        asked_ago: None,
    }
}

#[test]
fn an_event_that_names_no_commit_is_met_by_every_look_since_it_was_on_the_bus() {
    let refresh = || event(EventKind::Refresh, None, Some(PUBLISHED));
    let queued = event(EventKind::Refresh, None, None);
    let values = event(EventKind::EnvironmentChange(IndexMap::new()), None, Some(PUBLISHED));
    for (event, outcome, asked, met) in [
        (refresh(), Outcome::Unchanged, Some(PUBLISHED), true),
        (refresh(), Outcome::Applied, Some(PUBLISHED + 60_000), true),
        (refresh(), Outcome::Failed, Some(PUBLISHED + 1), true),
        (refresh(), Outcome::Vetoed, Some(PUBLISHED + 1), true),
        (refresh(), Outcome::Unchanged, Some(PUBLISHED - 1), false),
        (refresh(), Outcome::Unchanged, None, false),
        (queued, Outcome::Unchanged, Some(PUBLISHED + 1), false),
        (values, Outcome::Unchanged, Some(PUBLISHED + 1), false),
    ] {
        let round = Round::new(event, []);
        assert_eq!(
            round.is_met_by(&report(outcome, 'a'), asked),
            met,
            "{outcome:?}, asked at {asked:?}: {:?}",
            round.event()
        );
    }
}

#[test]
fn a_move_is_met_by_who_runs_its_commit_whenever_it_asked() {
    let round = Round::new(event(EventKind::Refresh, Some('b'), Some(PUBLISHED)), []);
    for (outcome, running, asked, met) in [
        (Outcome::Applied, 'b', None, true),
        (Outcome::Unchanged, 'b', Some(PUBLISHED - 1), true),
        (Outcome::Failed, 'b', Some(PUBLISHED + 1), false),
        (Outcome::Unchanged, 'a', Some(PUBLISHED + 1), false),
    ] {
        assert_eq!(
            round.is_met_by(&report(outcome, running), asked),
            met,
            "{outcome:?} at {running}, asked at {asked:?}"
        );
    }
}
