//! What other members put on the bus.

use bus::Inbound;
use contract::delivery::EventState;
use contract::event::SHUTDOWN;
use contract::report::Outcome;
use contract::{Affects, BusEvent, BusId, CommitId, Destination, EventId, EventKind, Label, Message, Notice};

use super::harness::{DEADLINE, Server, report};

fn refresh(origin: &str, destination: &str, notice: Option<Notice>) -> Message {
    let origin: BusId = origin.parse().expect("an id");
    let event = BusEvent::refresh(EventId::random(), 1, &origin, Destination::received(destination));
    Message { event, notice }
}

fn ack(origin: &str, acked: Option<&EventId>) -> Message {
    let mut message = refresh(origin, "**", None);
    message.event.kind = EventKind::Ack {
        acked: acked.cloned(),
        acked_destination: None,
        event: Some(contract::event::REFRESH_CLASS.to_owned()),
    };
    message
}

/// Another server has seen the head move to `to`.
async fn moved_at_another(server: &Server, to: &CommitId) {
    let notice = Notice {
        label: "main".parse::<Label>().expect("a label"),
        from: Some(server.head()),
        to: to.clone(),
        affects: Affects::All,
        spread_millis: 0,
        report_spread_millis: 0,
        moved: Some("other-7".parse().expect("a move")),
    };
    let event = refresh("config-server:8889:b", "**", Some(notice));
    server.others.send(Inbound::Event(event)).await.expect("heard");
}

#[tokio::test]
async fn another_servers_event_makes_this_one_look() {
    let server = Server::start().await;
    let pushed = server.push("a: 2\n");
    moved_at_another(&server, &pushed).await;
    test_support::eventually!(DEADLINE, server.head() == pushed);
    server.end().await;
}

#[tokio::test]
async fn a_head_that_goes_back_and_forth_is_followed_each_time_another_server_sees_it() {
    let server = Server::start().await;
    let first = server.head();
    let second = server.push("a: 2\n");
    for commit in [&second, &first, &second, &first] {
        server.reset(commit);
        moved_at_another(&server, commit).await;
        test_support::eventually!(DEADLINE, server.head() == *commit);
    }
    server.end().await;
}

#[tokio::test]
async fn a_spring_applications_refresh_is_shown_to_our_agents_and_its_acks_are_reports() {
    let server = Server::start().await;
    let mut agent = server.listen();
    let spring = "stock:8081:b";
    server
        .others
        .send(Inbound::Event(ack(spring, None)))
        .await
        .expect("heard");
    let event = refresh("billing:8080:c", "**", None);
    server.others.send(Inbound::Event(event.clone())).await.expect("heard");
    assert_eq!(agent.hear().await.event.id, event.event.id);
    let waiting = server
        .change
        .delivery()
        .report(&event.event.id)
        .await
        .expect("a journal")
        .expect("a report");
    assert_eq!((waiting.state, waiting.cause.as_str()), (EventState::Published, "peer"));
    assert_eq!(waiting.summary.silent, 1);
    server
        .others
        .send(Inbound::Event(ack(spring, Some(&event.event.id))))
        .await
        .expect("heard");
    let report = server.change.delivery().settled(&event.event.id, DEADLINE).await;
    let report = report.expect("a journal").expect("a report");
    assert_eq!((report.summary.applied, report.agents[0].commit.clone()), (1, None));
    server.end().await;
}

#[tokio::test]
async fn a_spring_applications_shutdown_event_is_shown_to_our_agents_and_its_acks_say_nothing() {
    let server = Server::start().await;
    let mut agent = server.listen();
    server.report("orders:1:a", &[], &server.head(), Outcome::Applied).await;
    let mut event = refresh("billing:8080:c", "**", None);
    event.event.kind = EventKind::Shutdown;
    server.others.send(Inbound::Event(event.clone())).await.expect("heard");
    assert_eq!(agent.hear().await, event);
    let mut ack = ack("stock:8081:b", Some(&event.event.id));
    if let EventKind::Ack { event, .. } = &mut ack.event.kind {
        *event = Some(format!("org.springframework.cloud.bus.event.{SHUTDOWN}"));
    }
    server.others.send(Inbound::Event(ack)).await.expect("heard");
    test_support::eventually!(DEADLINE, server.change.delivery().agent_count() == 2);
    let report = server.change.delivery().report(&event.event.id).await;
    let report = report.expect("a journal").expect("a report");
    assert!(report.is_complete() && report.agents.is_empty(), "{report:?}");
    server.end().await;
}

#[tokio::test]
async fn reports_over_the_broker_count_like_those_over_http() {
    let server = Server::start().await;
    let head = server.head();
    let heard = Inbound::Report(report("orders:1:a", &[], &head, Outcome::Unchanged));
    server.others.send(heard).await.expect("heard");
    test_support::eventually!(DEADLINE, server.change.delivery().agent_count() == 1);
    server.end().await;
}
