//! Server-sent events as the HTML standard frames them: bytes in, events out, in any chunking.

use bytes::Bytes;
use thiserror::Error;

/// Longest event that is read, in bytes. A notice stays under 8 kB; an environment change may be
/// longer.
pub const MAX_EVENT: usize = 256 * 1024;

/// One event of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SseEvent {
    /// The type; empty is `message`.
    pub event: String,
    /// The data, lines joined with `\n`.
    pub data: String,
    /// The last id the stream had named when the event ended.
    pub id: String,
}

/// An event is longer than [`MAX_EVENT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an event of the stream is longer than {MAX_EVENT} bytes")]
pub struct EventTooLong;

/// Reads a stream piece by piece.
#[derive(Debug, Default)]
pub struct Decoder {
    line: Vec<u8>,
    after_cr: bool,
    begun: bool,
    event: String,
    data: Option<String>,
    id: String,
    last_id: String,
}

impl SseEvent {
    /// The event as it goes over the wire.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let mut text = String::with_capacity(self.data.len() + self.id.len() + self.event.len() + 32);
        for (field, value) in [("id", &self.id), ("event", &self.event)] {
            if !value.is_empty() {
                push_field(&mut text, field, value);
            }
        }
        for line in self.data.split('\n') {
            push_field(&mut text, "data", line);
        }
        text.push('\n');
        text.into()
    }
}

/// A block that carries no event: it keeps the connection alive and tells the reader how far the
/// stream has come, so that resuming works even when every event since was for others.
#[must_use]
pub fn keep_alive(id: &str) -> Bytes {
    format!(":\nid: {id}\n\n").into()
}

impl Decoder {
    /// Takes the next piece and gives the events it completes.
    ///
    /// # Errors
    /// [`EventTooLong`]; the stream is of no use after that.
    pub fn push(&mut self, piece: &[u8]) -> Result<Vec<SseEvent>, EventTooLong> {
        let mut events = Vec::new();
        for &byte in piece {
            let ends_crlf = std::mem::replace(&mut self.after_cr, byte == b'\r') && byte == b'\n';
            match byte {
                b'\n' if ends_crlf => {}
                b'\n' | b'\r' => events.extend(self.end_line()),
                _ => self.line.push(byte),
            }
            if self.line.len() + self.data.as_ref().map_or(0, String::len) > MAX_EVENT {
                return Err(EventTooLong);
            }
        }
        Ok(events)
    }

    /// The id to resume after, once at least one block has ended.
    #[must_use]
    pub fn last_event_id(&self) -> Option<&str> {
        (!self.last_id.is_empty()).then_some(self.last_id.as_str())
    }

    fn end_line(&mut self) -> Option<SseEvent> {
        let line = std::mem::take(&mut self.line);
        let mut line = String::from_utf8_lossy(&line);
        if !std::mem::replace(&mut self.begun, true) {
            line = line
                .strip_prefix('\u{feff}')
                .map(str::to_owned)
                .map_or(line, Into::into);
        }
        if line.is_empty() {
            return self.end_block();
        }
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        self.take_field(field, value.strip_prefix(' ').unwrap_or(value));
        None
    }

    fn take_field(&mut self, field: &str, value: &str) {
        match field {
            "data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            "event" => value.clone_into(&mut self.event),
            "id" if !value.contains('\0') => value.clone_into(&mut self.id),
            _ => {}
        }
    }

    fn end_block(&mut self) -> Option<SseEvent> {
        self.last_id.clone_from(&self.id);
        let event = std::mem::take(&mut self.event);
        Some(SseEvent {
            event,
            data: self.data.take()?,
            id: self.id.clone(),
        })
    }
}

fn push_field(text: &mut String, field: &str, value: &str) {
    text.push_str(field);
    text.push_str(": ");
    text.push_str(value);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(stream: &[u8]) -> Vec<SseEvent> {
        Decoder::default().push(stream).expect("no event is too long")
    }

    #[test]
    fn the_examples_of_the_standard_read_as_it_says() {
        let stream = b"\xef\xbb\xbf: test stream\r\n\r\ndata: first\rid: 1\r\rdata:second\nid\n\ndata:  third\ndata\n\nevent: x\n\ndata\n\n";
        let told: Vec<_> = decode(stream).into_iter().map(|e| (e.event, e.data, e.id)).collect();
        let of = |event: &str, data: &str, id: &str| (event.to_owned(), data.to_owned(), id.to_owned());
        assert_eq!(
            told,
            [
                of("", "first", "1"),
                of("", "second", ""),
                of("", " third\n", ""),
                of("", "", "")
            ]
        );
    }

    #[test]
    fn a_keep_alive_moves_the_id_and_is_no_event() {
        let mut decoder = Decoder::default();
        assert_eq!(decoder.push(&keep_alive("e-7")), Ok(Vec::new()));
        assert_eq!(decoder.last_event_id(), Some("e-7"));
    }

    #[test]
    fn an_id_counts_only_once_its_block_has_ended() {
        let mut decoder = Decoder::default();
        assert_eq!(decoder.push(b"id: e-7\ndata: x\n"), Ok(Vec::new()));
        assert_eq!(decoder.last_event_id(), None);
    }

    #[test]
    fn a_stream_without_an_end_of_line_is_given_up() {
        let mut decoder = Decoder::default();
        let piece = vec![b'x'; MAX_EVENT / 2 + 1];
        assert_eq!(decoder.push(&piece), Ok(Vec::new()));
        assert_eq!(decoder.push(&piece), Err(EventTooLong));
    }

    fn events() -> impl Strategy<Value = Vec<SseEvent>> {
        let event = ("[a-z]{0,5}", "[ -~\n]{0,40}", "[a-z0-9-]{1,8}");
        let event = event.prop_map(|(event, data, id)| SseEvent { event, data, id });
        proptest::collection::vec(event, 0..6)
    }

    proptest! {
        #[test]
        fn what_was_written_reads_back_in_any_chunking(events in events(), cuts in proptest::collection::vec(1usize..7, 1..20)) {
            let stream: Vec<u8> = events.iter().flat_map(|e| e.encode()).collect();
            let (mut decoder, mut told, mut rest) = (Decoder::default(), Vec::new(), stream.as_slice());
            for cut in cuts.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (piece, tail) = rest.split_at((*cut).min(rest.len()));
                told.extend(decoder.push(piece).expect("no event is too long"));
                rest = tail;
            }
            prop_assert_eq!(told, events);
        }

        #[test]
        fn any_bytes_give_the_same_events_in_any_chunking(bytes in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b':'), any::<u8>()], 0..200), cut in 1usize..9) {
            let mut decoder = Decoder::default();
            let told: Vec<_> = bytes.chunks(cut).flat_map(|piece| decoder.push(piece).expect("no event is too long")).collect();
            prop_assert_eq!(told, decode(&bytes));
        }
    }
}
