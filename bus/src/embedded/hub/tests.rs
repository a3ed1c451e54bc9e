use std::pin::Pin;

use contract::{BusEvent, BusId, Destination, EventId, Notice, Scope};
use futures_util::StreamExt;
use tokio::time::timeout;

use super::*;
use crate::embedded::sse::Decoder;

type Bytestream = Pin<Box<dyn Stream<Item = Bytes> + Send>>;

const DEADLINE: Duration = Duration::from_secs(5);

fn hub(replay: usize) -> Arc<Hub> {
    let settings = HubSettings {
        replay: NonZeroUsize::new(replay).expect("not zero"),
        ..HubSettings::default()
    };
    Hub::new(settings, CancellationToken::new())
}

fn agent(application: &str) -> Subscriber {
    Subscriber {
        bus_id: format!("{application}:8080:a").parse().expect("an id"),
        applications: vec![application.parse().expect("a name")],
        profiles: Vec::new(),
        label: None,
    }
}

fn refresh(id: &str, destination: &str) -> Message {
    let origin: BusId = "config-server:8888:a".parse().expect("an id");
    Message {
        event: BusEvent::refresh(EventId::received(id), 1, &origin, Destination::received(destination)),
        notice: None,
    }
}

fn open(hub: &Arc<Hub>, application: &str, last_event_id: Option<&str>) -> Bytestream {
    Box::pin(hub.subscribe(agent(application), last_event_id))
}

/// The next event, as its type and the id of the bus event in it; and the id to resume after.
async fn hear(stream: &mut Bytestream, decoder: &mut Decoder) -> (String, String) {
    loop {
        let bytes = timeout(DEADLINE, stream.next())
            .await
            .expect("in time")
            .expect("not the end");
        if let Some(event) = decoder.push(&bytes).expect("no event is too long").pop() {
            let id = Message::from_frame(&event.data).map_or_else(|_| String::new(), |m| m.event.id.to_string());
            return (event.event, id);
        }
    }
}

fn told(event: &str, id: &str) -> (String, String) {
    (event.to_owned(), id.to_owned())
}

#[tokio::test]
async fn a_stream_carries_what_concerns_its_subscriber_in_order() {
    let hub = hub(16);
    assert_eq!(hub.publish(&refresh("0", "**")).await, Ok(Receipt { heard: false }));
    let (mut stream, mut decoder) = (open(&hub, "orders", None), Decoder::default());
    for (id, destination) in [("1", "orders:**"), ("2", "stock:**"), ("3", "**")] {
        assert_eq!(
            hub.publish(&refresh(id, destination)).await,
            Ok(Receipt { heard: true })
        );
    }
    assert_eq!(hear(&mut stream, &mut decoder).await, told("", "1"));
    assert_eq!(hear(&mut stream, &mut decoder).await, told("", "3"));
}

#[tokio::test]
async fn a_stream_resumes_after_the_last_id_it_heard() {
    let hub = hub(16);
    let (mut stream, mut decoder) = (open(&hub, "orders", None), Decoder::default());
    hub.publish(&refresh("1", "**")).await.expect("taken");
    hear(&mut stream, &mut decoder).await;
    drop(stream);
    hub.publish(&refresh("2", "**")).await.expect("taken");
    let mut stream = open(&hub, "orders", decoder.last_event_id());
    assert_eq!(hear(&mut stream, &mut Decoder::default()).await, told("", "2"));
}

#[tokio::test]
async fn a_shutdown_event_is_heard_by_those_who_are_there_and_not_replayed() {
    let hub = hub(16);
    let shutdown = |id: &str| {
        let mut message = refresh(id, "**");
        message.event.kind = EventKind::Shutdown;
        message
    };
    let (mut stream, mut decoder) = (open(&hub, "orders", None), Decoder::default());
    hub.publish(&shutdown("1")).await.expect("taken");
    assert_eq!(hear(&mut stream, &mut decoder).await, told("", "1"));
    drop(stream);
    hub.publish(&shutdown("2")).await.expect("taken");
    hub.publish(&refresh("3", "**")).await.expect("taken");
    let mut stream = open(&hub, "orders", decoder.last_event_id());
    hub.publish(&shutdown("4")).await.expect("taken");
    for id in ["3", "4"] {
        assert_eq!(hear(&mut stream, &mut decoder).await, told("", id));
    }
}

#[tokio::test]
async fn an_id_of_another_life_or_one_that_is_gone_is_told_to_look() {
    let hub = hub(2);
    for id in ["1", "2", "3", "4"] {
        hub.publish(&refresh(id, "**")).await.expect("taken");
    }
    let gone = hub.id(1);
    for id in [gone.as_str(), "00000000-4", "nonsense", "", "99999999999999999999999-1"] {
        let mut stream = open(&hub, "orders", Some(id));
        assert_eq!(
            hear(&mut stream, &mut Decoder::default()).await,
            told(RESYNC, ""),
            "{id}"
        );
    }
    let future = hub.id(99);
    let mut stream = open(&hub, "orders", Some(&future));
    assert_eq!(hear(&mut stream, &mut Decoder::default()).await, told(RESYNC, ""));
}

#[tokio::test]
async fn a_slow_reader_hears_one_resync_instead_of_everything() {
    let hub = hub(4);
    let (mut stream, mut decoder) = (open(&hub, "orders", None), Decoder::default());
    for number in 0..100 {
        hub.publish(&refresh(&number.to_string(), "**")).await.expect("taken");
    }
    assert_eq!(hear(&mut stream, &mut decoder).await, told(RESYNC, ""));
    hub.publish(&refresh("last", "**")).await.expect("taken");
    assert_eq!(hear(&mut stream, &mut decoder).await, told("", "last"));
}

#[tokio::test(start_paused = true)]
async fn an_idle_stream_is_kept_alive_and_its_place_moves_on() {
    let hub = hub(4);
    let (mut stream, mut decoder) = (open(&hub, "orders", None), Decoder::default());
    stream.next().await.expect("the opening");
    hub.publish(&refresh("1", "stock:**")).await.expect("taken");
    let alive = stream.next().await.expect("a keep-alive");
    assert_eq!(decoder.push(&alive), Ok(Vec::new()));
    assert_eq!(decoder.last_event_id(), Some(hub.id(1).as_str()));
}

#[tokio::test(start_paused = true)]
async fn events_for_others_do_not_put_off_the_keep_alive() {
    let hub = hub(4);
    let mut stream = open(&hub, "orders", None);
    stream.next().await.expect("the opening");
    let opened = Instant::now();
    let others = async {
        loop {
            tokio::time::sleep(KEEP_ALIVE * 2 / 3).await;
            hub.publish(&refresh("1", "stock:**")).await.expect("taken");
        }
    };
    tokio::select! {
        alive = stream.next() => assert!(alive.is_some()),
        () = others => unreachable!("it publishes for ever"),
    }
    assert_eq!(opened.elapsed(), KEEP_ALIVE);
}

#[tokio::test]
async fn stopping_ends_every_stream_and_takes_no_more() {
    let hub = hub(4);
    let mut stream = open(&hub, "orders", None);
    stream.next().await.expect("the opening");
    hub.stop.cancel();
    assert_eq!(stream.next().await, None);
    assert!(hub.publish(&refresh("1", "**")).await.is_err());
}

#[tokio::test]
async fn a_list_too_long_to_send_still_filters_here() {
    let hub = hub(4);
    let (mut stream, mut decoder) = (open(&hub, "orders", None), Decoder::default());
    let affecting = |id: &str, last: &str| {
        let scopes = (0..2_000).map(|n| Scope::new(Some(&format!("app{n}")), None));
        let mut message = refresh(id, "**");
        message.notice = Some(Notice {
            label: "main".parse().expect("a label"),
            from: None,
            to: "a".repeat(40).parse().expect("a commit"),
            affects: Affects::union(scopes.chain([Scope::new(Some(last), None)])),
            spread_millis: 0,
            report_spread_millis: 0,
            moved: None,
        });
        message
    };
    hub.publish(&affecting("others", "stock")).await.expect("taken");
    hub.publish(&affecting("ours", "orders")).await.expect("taken");
    assert_eq!(hear(&mut stream, &mut decoder).await, told("", "ours"));
    assert!(hub.read(|ring| matches!(ring.after(1), After::Frame(f) if f.bytes.len() < 1024)));
}

#[tokio::test]
async fn ten_thousand_subscribers_share_one_copy() {
    let hub = hub(4);
    let streams: Vec<Bytestream> = (0..10_000).map(|n| open(&hub, &format!("app{n}"), None)).collect();
    assert_eq!(hub.subscribers(), 10_000);
    let each = size_of_val(&*streams[0]);
    assert!(each < 1_024, "a stream takes {each} bytes");
}
