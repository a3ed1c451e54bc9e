#![no_main]

use contract::{BusEvent, Message};
use libfuzzer_sys::fuzz_target;

// A stranger's event, and a frame of the embedded bus. What was read is written and read as the same.
fuzz_target!(|bytes: &[u8]| {
    if let Ok(event) = BusEvent::parse(bytes) {
        let again = BusEvent::parse(&event.to_json()).expect("our own event");
        assert_eq!((&again.id, &again.origin), (&event.id, &event.origin));
    }
    if let Some(message) = std::str::from_utf8(bytes).ok().and_then(|frame| Message::from_frame(frame).ok()) {
        let again = Message::from_frame(&message.to_frame()).expect("our own frame");
        assert_eq!(again.notice, message.notice);
    }
});
