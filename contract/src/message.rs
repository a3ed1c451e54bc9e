//! An event together with what we say beside it.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::event::{BusEvent, EventError};
use crate::notice::Notice;

/// What a transport carries: the event every member understands, and the notice ours do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The event.
    pub event: BusEvent,
    /// What moved; `None` for an operator's or a stranger's event.
    pub notice: Option<Notice>,
}

/// The `data:` of the embedded bus: the event's own JSON, unchanged, beside the notice.
#[derive(Serialize, Deserialize)]
struct Framed<'a> {
    #[serde(borrow)]
    event: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<Notice>,
}

impl Message {
    /// The message as one line of JSON, for the embedded bus and the outbox.
    #[must_use]
    pub fn to_frame(&self) -> String {
        let body = String::from_utf8(self.event.to_json()).expect("serde_json writes UTF-8");
        let event = RawValue::from_string(body).expect("serde_json writes JSON");
        let framed = Framed {
            event: &event,
            notice: self.notice.clone(),
        };
        serde_json::to_string(&framed).expect("texts and numbers serialise")
    }

    /// Reads what [`Message::to_frame`] wrote.
    ///
    /// # Errors
    /// [`EventError`] when the frame or the event in it cannot be read.
    pub fn from_frame(frame: &str) -> Result<Self, EventError> {
        let framed: Framed<'_> = serde_json::from_str(frame).map_err(EventError::NotJson)?;
        Ok(Self {
            event: BusEvent::parse(framed.event.get().as_bytes())?,
            notice: framed.notice,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Affects, BusId, Destination, EventId};

    #[test]
    fn a_frame_reads_back_as_the_message() {
        let origin: BusId = "config-server:8888:a".parse().expect("an id");
        let message = Message {
            event: BusEvent::refresh(EventId::received("e1"), 5, &origin, Destination::everyone()),
            notice: Some(Notice {
                label: "main".parse().expect("a label"),
                from: None,
                to: "b".repeat(40).parse().expect("a commit"),
                affects: Affects::All,
                spread_millis: 0,
                report_spread_millis: 0,
                moved: None,
            }),
        };
        let frame = message.to_frame();
        assert!(!frame.contains('\n'));
        assert_eq!(Message::from_frame(&frame).expect("a message"), message);
    }
}
