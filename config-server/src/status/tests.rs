use contract::delivery::{AgentDelivery, Summary};
use contract::report::Outcome;
use contract::status::{ApplicationStatus, BusStatus, CommitCount, HeadStatus};
use contract::{Affects, CommitId, DeliveryReport, Destination, EventId, Latency};

use super::*;

const NOW: u64 = 1_700_000_000_000;

fn commit(digit: char) -> CommitId {
    digit.to_string().repeat(40).parse().expect("a commit")
}

fn head(label: &str, digit: char, age: u64) -> HeadStatus {
    HeadStatus {
        repository: "https://git.example/config.git".to_owned(),
        label: label.parse().expect("a label"),
        commit: commit(digit),
        age,
        error: None,
        broken: Vec::new(),
    }
}

fn application(name: &str, commits: &[(char, usize)]) -> ApplicationStatus {
    let count = |(digit, agents): &(char, usize)| CommitCount {
        commit: commit(*digit),
        agents: *agents,
    };
    ApplicationStatus {
        application: name.to_owned(),
        agents: commits.iter().map(|(_, agents)| agents).sum(),
        failed: 0,
        vetoed: 0,
        away: 0,
        commits: commits.iter().map(count).collect(),
        drift: None,
    }
}

/// Spring applications tell no name and no commit.
fn spring() -> ApplicationStatus {
    ApplicationStatus {
        agents: 10,
        ..application("", &[])
    }
}

fn round(summary: Summary, took: Option<Latency>) -> DeliveryReport {
    DeliveryReport {
        id: EventId::received("9f956700-2231-50e1-867c-609d484b8fb1"),
        state: EventState::Published,
        cause: "webhook".to_owned(),
        label: Some("main".parse().expect("a label")),
        commit: Some(commit('b')),
        previous: Some(commit('a')),
        destination: Destination::everyone(),
        affects: Affects::All,
        created: NOW - 12_000,
        published: Some(NOW - 11_990),
        agents: Vec::new(),
        summary,
        latency: took,
    }
}

fn agent(bus_id: &str, outcome: Option<Outcome>, reason: Option<&str>) -> AgentDelivery {
    AgentDelivery {
        bus_id: bus_id.parse().expect("an id"),
        outcome,
        commit: None,
        digest: None,
        millis: None,
        reason: reason.map(str::to_owned),
    }
}

/// Everybody has everything.
fn fine() -> ServerStatus {
    let summary = Summary {
        applied: 812,
        unchanged: 188,
        ..Summary::default()
    };
    ServerStatus {
        bus_id: "config-server:8888:9f2c".parse().expect("an id"),
        version: "0.1.0".to_owned(),
        time: NOW,
        ready: true,
        heads: vec![head("feature/x", 'c', 3), head("main", 'b', 3)],
        more_heads: 0,
        bus: BusStatus {
            state: "connected".to_owned(),
            reason: None,
            hearing: Some("connected".to_owned()),
            queued: 0,
            oldest: None,
        },
        applications: vec![spring(), application("orders", &[('b', 1_000)])],
        more_applications: 0,
        drift_after: 120_000,
        round: Some(round(summary, Latency::of([18, 25, 240]))),
    }
}

/// Nothing is as it should be, and some of it tries to command the terminal.
fn troubled() -> ServerStatus {
    let summary = Summary {
        applied: 812,
        unchanged: 150,
        failed: 1,
        vetoed: 1,
        silent: 36,
    };
    let mut status = ServerStatus {
        ready: false,
        more_heads: 1_300,
        more_applications: 7,
        bus: BusStatus {
            state: "waiting".to_owned(),
            reason: Some("connection refused\u{1b}[2J".to_owned()),
            hearing: Some("connecting".to_owned()),
            queued: 3,
            oldest: Some(12_000),
        },
        round: Some(round(summary, Latency::of([18, 25, 1_240]))),
        ..fine()
    };
    status.heads[0].broken = ["a.yml", "b.yml", "c.yml", "d\u{7}.yml"].map(str::to_owned).to_vec();
    status.heads[1].error = Some("the remote did not answer in time".to_owned());
    status.heads[1].age = 240;
    status.applications[1] = ApplicationStatus {
        failed: 1,
        vetoed: 1,
        away: 2,
        drift: Some(300_000),
        ..application("orders", &[('b', 962), ('a', 36)])
    };
    let round = status.round.as_mut().expect("a round");
    round.created = NOW - 300_000;
    round.agents = vec![
        agent("orders:1:a", Some(Outcome::Failed), Some("cannot write\r\nthe file")),
        agent("orders:2:b", Some(Outcome::Vetoed), None),
        agent("orders:3:c", None, None),
        agent("orders:4:d", None, None),
    ];
    status
}

fn shown(mut screen: Screen, status: ServerStatus) -> String {
    screen.show(&Ok(status)).expect("something to write")
}

fn page(status: ServerStatus) -> String {
    shown(Screen::Page { coloured: false }, status)
}

#[test]
fn a_server_that_is_well_fits_a_page() {
    insta::assert_snapshot!(page(fine()));
}

#[test]
fn what_is_wrong_is_said_where_it_is() {
    let page = page(troubled());
    assert!(!page.contains(|c: char| c.is_control() && c != '\n'), "{page:?}");
    insta::assert_snapshot!(page);
}

#[test]
fn what_waits_for_the_bus_is_told_with_the_age_of_the_oldest() {
    for (queued, oldest, text) in [
        (0, None, "nothing waiting for it"),
        (1, Some(1_200), "1 event waiting for it for 1.2 s"),
        (3, Some(12_000), "3 events waiting for it, the oldest for 12 s"),
        (
            1_200,
            Some(7_200_000),
            "1,200 events waiting for it, the oldest for 2 h",
        ),
        // A server of before does not say.
        (3, None, "3 events waiting for it"),
    ] {
        let mut status = fine();
        (status.bus.queued, status.bus.oldest) = (queued, oldest);
        assert_eq!(page(status).lines().nth(1), Some(&*format!("bus connected, {text}")));
    }
}

#[test]
fn a_server_that_serves_nobody_yet_says_so() {
    let status = ServerStatus {
        heads: Vec::new(),
        applications: Vec::new(),
        round: None,
        bus: BusStatus {
            state: "off".to_owned(),
            reason: None,
            hearing: None,
            queued: 0,
            oldest: None,
        },
        ..fine()
    };
    insta::assert_snapshot!(page(status));
}

#[test]
fn a_page_is_drawn_over_the_one_before_and_cut_to_the_terminal() {
    let size = || Some(Size { columns: 30, rows: 5 });
    let mut screen = Screen::terminal(size);
    let first = screen.show(&Ok(troubled())).expect("a page");
    assert_eq!(first.lines().count(), 4);
    assert!(
        first.starts_with("\u{1b}[31mconfig-server:8888:9f2c  0.1.…\u{1b}[0m\n"),
        "{first:?}"
    );
    let second = screen.show(&Ok(fine())).expect("a page");
    assert!(
        second.starts_with("\u{1b}[4F\u{1b}[J\u{1b}[1mconfig-server"),
        "{second:?}"
    );
}

#[test]
fn into_a_pipe_goes_a_line_for_each_change() {
    let mut screen = Screen::lines();
    let mut show = |status| screen.show(&Ok(status));
    let first = show(fine()).expect("a line");
    assert_eq!(
        first,
        "main aaaaaaa..bbbbbbb  published  applied 812  unchanged 188  failed 0  vetoed 0  silent 0  \
         p50 25 ms  p99 240 ms  max 240 ms\n"
    );
    let later = ServerStatus {
        time: NOW + 1_000,
        ..fine()
    };
    assert_eq!(show(later.clone()), None);
    let not_ready = ServerStatus { ready: false, ..later };
    assert!(show(not_ready).is_some_and(|line| line.ends_with("  1 fault\n")));
}

#[test]
fn programs_get_the_answer_whenever_it_changed() {
    let mut screen = Screen::json();
    let mut show = |status| screen.show(&Ok(status));
    let first = show(fine()).expect("a line");
    assert_eq!(serde_json::from_str::<ServerStatus>(&first).expect("JSON"), fine());
    let later = ServerStatus {
        time: NOW + 1,
        ..fine()
    };
    assert_eq!(show(later), None);
    assert!(show(troubled()).is_some());
    let mut later = troubled();
    later.time += 250;
    later.bus.oldest = Some(12_250);
    assert_eq!(show(later), None);
}

#[test]
fn a_server_is_faulty_when_one_thing_is() {
    let with = |change: &dyn Fn(&mut ServerStatus)| {
        let mut status = fine();
        change(&mut status);
        Standing::of(&status)
    };
    fn summary(status: &mut ServerStatus) -> &mut Summary {
        &mut status.round.as_mut().expect("a round").summary
    }
    assert_eq!(with(&|_| {}), Standing::Fine);
    assert_eq!(with(&|status| status.round = None), Standing::Fine);
    assert_eq!(with(&|status| summary(status).silent = 1), Standing::Fine);
    assert_eq!(
        with(&|status| status.applications[1].drift = Some(120_000)),
        Standing::Fine
    );
    let faults: [&dyn Fn(&mut ServerStatus); 11] = [
        &|status| status.ready = false,
        &|status| status.heads[1].error = Some("away".to_owned()),
        &|status| status.heads[1].broken = vec!["a.yml".to_owned()],
        &|status| status.bus.state = "blocked".to_owned(),
        &|status| status.bus.hearing = Some("waiting".to_owned()),
        &|status| status.applications[1].failed = 1,
        &|status| status.applications[1].drift = Some(120_001),
        &|status| summary(status).failed = 1,
        &|status| summary(status).vetoed = 1,
        &|status| status.round.as_mut().expect("a round").state = EventState::Expired,
        &|status| {
            summary(status).silent = 1;
            status.time += 120_000;
        },
    ];
    for (at, fault) in faults.iter().enumerate() {
        assert_eq!(with(*fault), Standing::Faulty, "{at}");
    }
}
