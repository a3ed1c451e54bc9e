use super::*;
use proptest::prelude::*;

const SPRING: &str = r#"{"type":"RefreshRemoteApplicationEvent","timestamp":1795374753109,"originService":"config-server:8888:3f2a","destinationService":"**","id":"ce372104-22bb-4c81-b74d-7ee40ee773c4"}"#;

fn parse(body: &str) -> Result<BusEvent, EventError> {
    BusEvent::parse(body.as_bytes())
}

#[test]
fn a_refresh_is_written_byte_for_byte_as_spring_writes_it() {
    let event = parse(SPRING).expect("an event");
    assert_eq!(String::from_utf8(event.to_json()).expect("text"), SPRING);
}

#[test]
fn members_may_come_in_any_order_and_in_snake_case() {
    let event = parse(r#"{"id":7,"extra":{},"destination_service":"orders:**","origin_service":"x:1","type":"RefreshRemoteApplicationEvent"}"#)
        .expect("an event");
    assert_eq!(event.id.as_str(), "7");
    assert_eq!(event.destination, Some(Destination::received("orders:**")));
}

#[test]
fn an_absent_destination_is_nobody_and_a_null_one_everybody() {
    let id: BusId = "orders:8080:a".parse().expect("an id");
    let absent = parse(r#"{"type":"RefreshRemoteApplicationEvent","originService":"x:1"}"#).expect("an event");
    assert!(!absent.is_for(&id, &[]));
    let null = parse(r#"{"type":"RefreshRemoteApplicationEvent","originService":"x:1","destinationService":null}"#)
        .expect("an event");
    assert!(null.is_for(&id, &[]));
}

#[test]
fn a_missing_or_pattern_origin_is_refused() {
    assert!(matches!(
        parse(r#"{"type":"RefreshRemoteApplicationEvent"}"#),
        Err(EventError::Member(_))
    ));
    let pattern = r#"{"type":"RefreshRemoteApplicationEvent","originService":"**"}"#;
    assert!(matches!(parse(pattern), Err(EventError::PatternOrigin)));
}

#[test]
fn unknown_types_are_kept_by_name() {
    for name in ["refreshremoteapplicationevent", REFRESH_CLASS, "Custom"] {
        let event = parse(&format!(r#"{{"type":"{name}","originService":"x:1"}}"#)).expect("an event");
        assert_eq!(event.kind, EventKind::Unknown(name.to_owned()));
    }
}

#[test]
fn values_are_texts_and_nulls_are_never_sent_on() {
    let event = parse(
        r#"{"type":"EnvironmentChangeRemoteApplicationEvent","originService":"x:1","destinationService":"**","id":"1","values":{"a":1,"b":true,"c":null}}"#,
    )
    .expect("an event");
    let EventKind::EnvironmentChange(values) = &event.kind else {
        panic!("not a change: {event:?}");
    };
    assert_eq!(values["a"].as_deref(), Some("1"));
    assert_eq!(values["c"], None);
    assert!(!String::from_utf8_lossy(&event.to_json()).contains("null"));
}

#[test]
fn an_own_event_is_not_for_oneself() {
    let me: BusId = "config-server:8888:3f2a".parse().expect("an id");
    assert!(!parse(SPRING).expect("an event").is_for(&me, &[]));
}

#[test]
fn the_id_of_a_move_depends_on_everything_it_names() {
    let label: Label = "main".parse().expect("a label");
    let commit: CommitId = "a".repeat(40).parse().expect("a commit");
    let one = EventId::of_move("r", &label, None, &commit, 0);
    assert_eq!(one, EventId::of_move("r", &label, None, &commit, 0));
    assert_ne!(one, EventId::of_move("r", &label, None, &commit, 1));
    assert_ne!(one, EventId::of_move("r", &label, Some(&commit), &commit, 0));
}

proptest! {
    #[test]
    fn no_body_makes_the_reader_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = BusEvent::parse(&body);
    }
}
