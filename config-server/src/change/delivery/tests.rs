use std::time::Duration;

use contract::delivery::EventState;
use contract::report::Outcome;
use contract::{Affects, BusEvent, BusId, CommitId, Destination, EventKind, Message, Notice, Scope};

use super::*;
use crate::change::journal::Origin;
use crate::store::Cause;

const TTL: Duration = Duration::from_secs(600);
const NOW: u64 = 1_000_000_000;
/// Events that the journal keeps.
const KEPT: usize = 200;

fn commit(digit: char) -> CommitId {
    digit.to_string().repeat(40).parse().expect("a commit")
}

fn server() -> BusId {
    "config-server:8888:a".parse().expect("an id")
}

fn message(id: &str, destination: &str, affects: Option<Affects>) -> Message {
    let event = BusEvent::refresh(
        EventId::received(id),
        NOW,
        &server(),
        Destination::received(destination),
    );
    let notice = affects.map(|affects| Notice {
        label: "main".parse().expect("a label"),
        from: Some(commit('a')),
        to: commit('b'),
        affects,
        spread_millis: 0,
        report_spread_millis: 0,
        moved: None,
    });
    Message { event, notice }
}

fn report(bus_id: &str, events: &[&str], outcome: Outcome, running: char) -> Report {
    Report {
        bus_id: bus_id.parse().expect("an id"),
        application: bus_id.split(':').next().expect("a name").parse().expect("a name"),
        profiles: vec!["dev".parse().expect("a profile")],
        label: None,
        events: events.iter().map(|id| EventId::received(id)).collect(),
        commit: Some(commit(running)),
        digest: Some(running.to_string()),
        outcome,
        reason: None,
        millis: 1,
        asked_ago: None,
    }
}

struct Server {
    journal: Journal,
    delivery: Delivery,
}

impl Server {
    async fn start() -> Self {
        let journal = Journal::open(None).await.expect("a journal");
        let delivery = Delivery::open(journal.clone(), TTL).await.expect("nothing yet");
        Self { journal, delivery }
    }

    async fn send(&self, message: Message) -> StoredEvent {
        let origin = Origin {
            cause: Cause::Operator,
            created: NOW,
            expires: None,
            state: EventState::Published,
        };
        let added = self.journal.add(message, origin, KEPT).await;
        let event = added.expect("written").expect("new");
        self.delivery.expect(&event);
        event
    }

    fn hear(&self, report: &Report) {
        self.delivery.heard(report, NOW + 40);
    }

    async fn report(&self, id: &str) -> DeliveryReport {
        let report = self.delivery.report(&EventId::received(id)).await;
        report.expect("a journal").expect("a report")
    }

    async fn outcomes(&self, id: &str) -> Vec<(String, Option<Outcome>)> {
        let report = self.report(id).await;
        let of = |agent: contract::delivery::AgentDelivery| (agent.bus_id.to_string(), agent.outcome);
        report.agents.into_iter().map(of).collect()
    }

    /// The same journal after a restart.
    async fn restarted(self) -> Self {
        self.delivery.flush().await.expect("written");
        let delivery = Delivery::open(self.journal.clone(), TTL)
            .await
            .expect("what was written");
        Self {
            journal: self.journal,
            delivery,
        }
    }
}

fn told(list: &[(&str, Option<Outcome>)]) -> Vec<(String, Option<Outcome>)> {
    list.iter().map(|(id, outcome)| ((*id).to_owned(), *outcome)).collect()
}

#[tokio::test]
async fn whoever_is_meant_and_touched_is_expected_to_answer() {
    let server = Server::start().await;
    for id in ["orders:1:a", "stock:2:b"] {
        server.hear(&report(id, &[], Outcome::Applied, 'a'));
    }
    let orders = Affects::union([Scope::new(Some("orders"), Some("dev"))]);
    server.send(message("all", "**", None)).await;
    server.send(message("named", "stock:**", None)).await;
    server.send(message("touched", "**", Some(orders))).await;
    server.send(message("nobody", "**", Some(Affects::union([])))).await;
    assert_eq!(
        server.outcomes("all").await,
        told(&[("orders:1:a", None), ("stock:2:b", None)])
    );
    assert_eq!(server.outcomes("named").await, told(&[("stock:2:b", None)]));
    assert_eq!(server.outcomes("touched").await, told(&[("orders:1:a", None)]));
    assert_eq!(server.outcomes("nobody").await, []);
}

#[tokio::test]
async fn nobody_is_expected_to_answer_a_shutdown_event_and_who_ends_by_it_is_listed() {
    let server = Server::start().await;
    for id in ["orders:1:a", "orders:2:b"] {
        server.hear(&report(id, &[], Outcome::Applied, 'a'));
    }
    let mut end = message("end", "orders:**", None);
    end.event.kind = EventKind::Shutdown;
    server.send(end).await;
    assert!(server.report("end").await.is_complete());
    server.hear(&report("orders:1:a", &["end"], Outcome::Stopped, 'a'));
    server.hear(&report("orders:2:b", &[], Outcome::Unchanged, 'a'));
    let ended = told(&[("orders:1:a", Some(Outcome::Stopped))]);
    assert_eq!(server.outcomes("end").await, ended);
    assert_eq!(server.restarted().await.outcomes("end").await, ended);
}

#[tokio::test]
async fn an_event_that_comes_again_keeps_its_answers() {
    let server = Server::start().await;
    server.hear(&report("orders:1:a", &[], Outcome::Applied, 'a'));
    let event = server.send(message("e", "**", None)).await;
    server.hear(&report("orders:1:a", &["e"], Outcome::Applied, 'b'));
    server.hear(&report("stock:2:b", &[], Outcome::Applied, 'a'));
    let queued = StoredEvent {
        state: EventState::Queued,
        ..event
    };
    server.delivery.expect(&queued);
    let expected = told(&[("orders:1:a", Some(Outcome::Applied)), ("stock:2:b", None)]);
    assert_eq!(server.outcomes("e").await, expected);
    let told = server.delivery.report(queued.id()).await.expect("a journal");
    assert_eq!(told.map(|report| report.state), Some(EventState::Queued));
    assert_eq!(server.restarted().await.outcomes("e").await, expected);
}

#[tokio::test]
async fn whoever_has_stopped_or_is_long_silent_is_not_expected() {
    let server = Server::start().await;
    server.hear(&report("orders:1:a", &[], Outcome::Stopped, 'a'));
    let long_ago = NOW - 601_000;
    server
        .delivery
        .heard(&report("orders:2:b", &[], Outcome::Applied, 'a'), long_ago);
    server.send(message("e", "**", None)).await;
    assert_eq!(server.outcomes("e").await, []);
}

#[tokio::test]
async fn an_answer_has_its_commit_digest_and_time() {
    let server = Server::start().await;
    server.hear(&report("orders:1:a", &[], Outcome::Applied, 'a'));
    server.send(message("e", "**", Some(Affects::All))).await;
    let mut vetoed = report("orders:1:a", &["e"], Outcome::Vetoed, 'a');
    vetoed.reason = Some("é".repeat(400));
    server.hear(&vetoed);
    let id = EventId::received("e");
    let told = server
        .delivery
        .settled(&id, Duration::ZERO)
        .await
        .expect("a journal")
        .expect("a report");
    let agent = &told.agents[0];
    assert_eq!(
        (agent.outcome, &agent.commit, agent.millis),
        (Some(Outcome::Vetoed), &Some(commit('a')), Some(40))
    );
    assert_eq!(agent.reason.as_ref().map(String::len), Some(500));
    assert_eq!((told.summary.vetoed, told.summary.silent), (1, 0));
}

#[tokio::test]
async fn an_agent_that_runs_the_commit_need_not_answer_the_event() {
    let server = Server::start().await;
    server.hear(&report("orders:1:a", &[], Outcome::Applied, 'a'));
    server.send(message("e", "**", Some(Affects::All))).await;
    server.hear(&report("orders:1:a", &[], Outcome::Failed, 'a'));
    assert_eq!(server.outcomes("e").await, told(&[("orders:1:a", None)]));
    server.hear(&report("orders:1:a", &[], Outcome::Applied, 'b'));
    assert_eq!(
        server.outcomes("e").await,
        told(&[("orders:1:a", Some(Outcome::Applied))])
    );
}

#[tokio::test]
async fn an_agent_that_missed_a_call_to_look_answers_it_with_its_next_look() {
    let server = Server::start().await;
    server.hear(&report("orders:1:a", &[], Outcome::Applied, 'a'));
    server.send(message("e", "**", None)).await;
    let looked = |outcome, ago| Report {
        asked_ago: Some(ago),
        ..report("orders:1:a", &[], outcome, 'a')
    };
    for (said, answered) in [
        // Heard 40 ms after the event: it waited to be sent, and tells of a look before.
        (looked(Outcome::Failed, 41), None),
        (looked(Outcome::Failed, 30), Some(Outcome::Failed)),
        (looked(Outcome::Unchanged, 41), Some(Outcome::Failed)),
        (looked(Outcome::Stopped, 0), Some(Outcome::Failed)),
        (looked(Outcome::Unchanged, 10), Some(Outcome::Unchanged)),
        (looked(Outcome::Failed, 0), Some(Outcome::Unchanged)),
    ] {
        server.hear(&said);
        assert_eq!(
            server.outcomes("e").await,
            told(&[("orders:1:a", answered)]),
            "{said:?}"
        );
    }
    let server = server.restarted().await;
    assert_eq!(
        server.outcomes("e").await,
        told(&[("orders:1:a", Some(Outcome::Unchanged))])
    );
}

#[tokio::test]
async fn a_look_of_somebody_who_is_not_expected_answers_nothing() {
    let server = Server::start().await;
    server.send(message("e", "stock:**", None)).await;
    server.hear(&Report {
        asked_ago: Some(0),
        ..report("orders:1:a", &[], Outcome::Unchanged, 'a')
    });
    assert_eq!(server.outcomes("e").await, []);
}

#[tokio::test]
async fn a_later_answer_counts_unless_it_says_that_nothing_was_left_to_do() {
    let server = Server::start().await;
    server.send(message("e", "**", None)).await;
    for (outcome, counts) in [
        (Outcome::Failed, Outcome::Failed),
        (Outcome::Applied, Outcome::Applied),
        (Outcome::Unchanged, Outcome::Applied),
        (Outcome::Stopped, Outcome::Applied),
    ] {
        server.hear(&report("orders:1:a", &["e"], outcome, 'b'));
        assert_eq!(server.outcomes("e").await, told(&[("orders:1:a", Some(counts))]));
    }
}

#[tokio::test]
async fn an_agent_that_stops_ends_the_wait_for_it() {
    let server = Server::start().await;
    server.hear(&report("orders:1:a", &[], Outcome::Applied, 'a'));
    server.send(message("e", "**", None)).await;
    let id = EventId::received("e");
    let waiting = server.delivery.settled(&id, TTL);
    server.hear(&report("orders:1:a", &[], Outcome::Stopped, 'a'));
    let told = waiting.await.expect("a journal").expect("a report");
    assert_eq!(told.agents[0].outcome, Some(Outcome::Stopped));
}

fn ack(origin: &str, acked: Option<&str>, kind: &str) -> BusEvent {
    let mut event = message("ack", "**", None).event;
    event.origin = origin.to_owned();
    event.kind = EventKind::Ack {
        acked: acked.map(EventId::received),
        acked_destination: None,
        event: Some(format!("org.springframework.cloud.bus.event.{kind}")),
    };
    event
}

#[tokio::test]
async fn an_ack_without_an_id_is_for_the_newest_event_that_may_be_meant() {
    const REFRESH: &str = "RefreshRemoteApplicationEvent";
    const CHANGE: &str = "EnvironmentChangeRemoteApplicationEvent";
    let server = Server::start().await;
    let hear = |event: &BusEvent| server.delivery.acked(&Ack::of(event).expect("an ack"), NOW + 7);
    for (id, destination) in [("old", "**"), ("new", "**"), ("elsewhere", "billing:**")] {
        server.send(message(id, destination, None)).await;
    }
    hear(&ack("stock:2:b", None, CHANGE));
    assert_eq!(server.outcomes("new").await, []);
    hear(&ack("stock:2:b", None, REFRESH));
    let applied = told(&[("stock:2:b", Some(Outcome::Applied))]);
    assert_eq!(server.outcomes("new").await, applied);
    assert_eq!(server.outcomes("old").await, []);
    hear(&ack("stock:2:b", Some("old"), REFRESH));
    assert_eq!(server.outcomes("old").await, applied);
    assert_eq!(server.outcomes("elsewhere").await, []);
}

#[test]
fn what_is_no_ack_or_has_no_proper_name_is_none() {
    assert_eq!(Ack::of(&message("e", "**", None).event), None);
    assert_eq!(Ack::of(&ack("**", None, "x")), None);
}

#[tokio::test]
async fn reports_and_agents_outlive_a_restart() {
    let server = Server::start().await;
    server.hear(&report("orders:1:a", &[], Outcome::Applied, 'a'));
    server.hear(&report("orders:2:b", &[], Outcome::Applied, 'a'));
    for n in 0..6 {
        server.send(message(&format!("e{n}"), "**", None)).await;
    }
    server.hear(&report("orders:1:a", &["e0", "e5"], Outcome::Applied, 'b'));
    let expected = told(&[("orders:1:a", Some(Outcome::Applied)), ("orders:2:b", None)]);
    let server = server.restarted().await;
    for id in ["e0", "e5"] {
        assert_eq!(server.outcomes(id).await, expected, "{id}");
    }
    assert_eq!(server.delivery.agents().len(), 2);
    server.hear(&report("orders:2:b", &["e0", "e5"], Outcome::Unchanged, 'b'));
    let server = server.restarted().await;
    for id in ["e0", "e5"] {
        assert_eq!(server.outcomes(id).await[1].1, Some(Outcome::Unchanged), "{id}");
    }
    let listed = server.delivery.recent().await.expect("a journal");
    let counts: Vec<_> = listed
        .iter()
        .map(|report| (report.summary.applied, report.summary.silent))
        .collect();
    assert_eq!(counts, [(1, 0), (0, 2), (0, 2), (0, 2), (0, 2), (1, 0)]);
}

#[tokio::test]
async fn the_picture_of_an_old_report_is_made_of_what_the_journal_has() {
    let server = Server::start().await;
    for id in ["orders:1:a", "orders:2:b", "orders:3:c"] {
        server.hear(&report(id, &[], Outcome::Applied, 'a'));
    }
    server.send(message("e", "**", None)).await;
    assert_eq!(server.report("e").await.latency, None);
    server.hear(&report("orders:1:a", &["e"], Outcome::Applied, 'b'));
    let late = report("orders:2:b", &["e"], Outcome::Failed, 'a');
    server.delivery.heard(&late, NOW + 900);
    let told = server.report("e").await.latency.expect("two answered");
    assert_eq!((told.count, told.p50, told.p99, told.max), (2, 40, 900, 900));
    for n in 0..80 {
        server.send(message(&format!("later{n}"), "nobody:**", None)).await;
    }
    let server = server.restarted().await;
    assert_eq!(server.report("e").await.latency, Some(told));
}

#[tokio::test]
async fn who_stopped_is_not_in_the_picture() {
    let server = Server::start().await;
    server.send(message("e", "**", None)).await;
    server.hear(&report("orders:1:a", &["e"], Outcome::Applied, 'b'));
    let stopped = report("orders:2:b", &["e"], Outcome::Stopped, 'a');
    server.delivery.heard(&stopped, NOW + 900_000);
    let told = server.report("e").await.latency.expect("one answered");
    assert_eq!((told.count, told.max), (1, 40));
}

#[tokio::test]
async fn the_outline_of_the_newest_round_lists_some_of_those_that_did_not_take_it() {
    let server = Server::start().await;
    assert_eq!(server.delivery.newest(2), None);
    for id in ["orders:1:a", "orders:2:b", "orders:3:c", "orders:4:d", "orders:5:e"] {
        server.hear(&report(id, &[], Outcome::Applied, 'a'));
    }
    server.send(message("e", "**", None)).await;
    server.hear(&report("orders:1:a", &["e"], Outcome::Applied, 'b'));
    server.hear(&report("orders:5:e", &["e"], Outcome::Vetoed, 'a'));
    let outline = server.delivery.newest(2).expect("a round");
    let listed: Vec<_> = outline
        .agents
        .iter()
        .map(|agent| (agent.bus_id.as_str(), agent.outcome))
        .collect();
    assert_eq!(
        listed,
        [
            ("orders:5:e", Some(Outcome::Vetoed)),
            ("orders:2:b", None),
            ("orders:3:c", None)
        ]
    );
    assert_eq!((outline.summary.applied, outline.summary.silent), (1, 3));
    assert_eq!(outline.latency.map(|latency| latency.count), Some(2));
}

#[tokio::test]
async fn who_waits_for_an_old_event_is_answered_from_the_journal() {
    let server = Server::start().await;
    server.hear(&report("orders:1:a", &[], Outcome::Applied, 'a'));
    for n in 0..80 {
        server.send(message(&format!("e{n}"), "**", None)).await;
    }
    let id = EventId::received("e0");
    let answer = async {
        server.hear(&report("orders:1:a", &["e0"], Outcome::Applied, 'b'));
        server.delivery.flush().await.expect("written");
    };
    let (told, ()) = tokio::join!(server.delivery.settled(&id, TTL), answer);
    assert_eq!(told.expect("a journal").expect("a report").summary.applied, 1);
}

#[test]
fn past_the_limit_the_agent_not_heard_of_for_longest_is_forgotten() {
    let mut agents = Agents::new(TTL);
    let limit = u64::try_from(agents::LIMIT).expect("a number");
    let mut forgotten = Vec::new();
    for n in 0..limit + 2 {
        let (_, gone) = agents.heard(&report(&format!("orders:{n}:a"), &[], Outcome::Applied, 'a'), NOW + n);
        forgotten.extend(gone.map(|id| id.to_string()));
    }
    assert_eq!(agents.len(), agents::LIMIT);
    assert_eq!(forgotten, ["orders:0:a", "orders:1:a"]);
}

#[test]
fn agents_drift_from_the_first_that_differs_until_all_agree() {
    let mut agents = Agents::new(TTL);
    let mut hear = |id: &str, running: char, time: u64| {
        agents.heard(&report(id, &[], Outcome::Applied, running), time);
        drift(&mut agents, time)
    };
    assert_eq!(hear("orders:1:a", 'a', 1), None);
    assert_eq!(hear("orders:2:b", 'a', 2), None);
    assert_eq!(hear("stock:1:a", 'c', 3), None);
    assert_eq!(hear("orders:1:a", 'b', 4), Some((2, 2, 4)));
    assert_eq!(hear("orders:1:a", 'b', 5), Some((2, 2, 4)));
    assert_eq!(hear("orders:2:b", 'b', 6), None);
    assert_eq!(hear("orders:2:b", 'a', 7), Some((2, 2, 7)));
}

#[test]
fn an_agent_that_is_gone_without_a_word_drifts_until_it_counts_as_away() {
    let mut agents = Agents::new(TTL);
    let ttl = u64::try_from(TTL.as_millis()).expect("a number");
    let mut hear = |id: &str, running: char, time: u64| {
        agents.heard(&report(id, &[], Outcome::Applied, running), time);
        drift(&mut agents, time)
    };
    hear("orders:1:killed", 'a', 1);
    hear("orders:2:b", 'a', 2);
    assert_eq!(hear("orders:2:b", 'b', 3), Some((2, 2, 3)));
    assert_eq!(hear("orders:2:b", 'b', ttl + 1), Some((2, 2, 3)));
    assert_eq!(hear("orders:3:c", 'b', ttl + 2), None);
    assert_eq!(hear("orders:3:c", 'c', ttl + 9), Some((2, 2, ttl + 9)));
    assert_eq!(hear("orders:1:killed", 'c', ttl + 10), Some((2, 3, ttl + 9)));
}

/// Configurations, agents and since when, of the first application that drifts.
fn drift(agents: &mut Agents, now: u64) -> Option<(usize, usize, u64)> {
    let first = agents.drift(now).into_iter().next();
    first.map(|drift| (drift.digests, drift.agents, drift.since))
}
