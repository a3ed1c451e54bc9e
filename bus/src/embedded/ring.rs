//! The last frames of the hub: one store for live delivery, for resuming, and for telling who has
//! fallen too far behind. Bounded in number and bytes.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use contract::Message;

/// One message, ready to be sent.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) message: Message,
    pub(crate) bytes: Bytes,
}

/// Frames numbered from 1; the oldest make room.
#[derive(Debug)]
pub(crate) struct Ring {
    frames: VecDeque<Arc<Frame>>,
    head: u64,
    held_bytes: usize,
    max_frames: usize,
    max_bytes: usize,
}

/// What comes after a cursor.
#[derive(Debug)]
pub(crate) enum After {
    /// The next frame.
    Frame(Arc<Frame>),
    /// Nothing yet.
    UpToDate,
    /// The next frame is gone, or the cursor is none of this ring.
    Lost,
}

impl Ring {
    pub(crate) fn new(max_frames: usize, max_bytes: usize) -> Self {
        Self {
            frames: VecDeque::new(),
            head: 0,
            held_bytes: 0,
            max_frames,
            max_bytes,
        }
    }

    /// Number of the newest frame; 0 before the first.
    pub(crate) fn head(&self) -> u64 {
        self.head
    }

    /// Keeps `frame` as the newest.
    pub(crate) fn push(&mut self, frame: Frame) {
        self.head += 1;
        self.held_bytes += frame.bytes.len();
        self.frames.push_back(Arc::new(frame));
        while self.frames.len() > self.max_frames || (self.held_bytes > self.max_bytes && self.frames.len() > 1) {
            if let Some(old) = self.frames.pop_front() {
                self.held_bytes -= old.bytes.len();
            }
        }
    }

    pub(crate) fn after(&self, cursor: u64) -> After {
        let gone = self.head - self.frames.len() as u64;
        if cursor == self.head {
            return After::UpToDate;
        }
        let index = cursor.checked_sub(gone).and_then(|index| usize::try_from(index).ok());
        match index.and_then(|index| self.frames.get(index)) {
            Some(frame) => After::Frame(Arc::clone(frame)),
            None => After::Lost,
        }
    }
}

#[cfg(test)]
mod tests {
    use contract::{BusEvent, BusId, Destination, EventId};
    use proptest::prelude::*;

    use super::*;

    fn frame(number: u64, size: usize) -> Frame {
        let origin: BusId = "s:1:a".parse().expect("an id");
        let id = EventId::received(&number.to_string());
        Frame {
            message: Message {
                event: BusEvent::refresh(id, 0, &origin, Destination::everyone()),
                notice: None,
            },
            bytes: Bytes::from(vec![0; size]),
        }
    }

    proptest! {
        #[test]
        fn a_cursor_gets_exactly_what_followed_it_or_hears_of_the_loss(
            sizes in proptest::collection::vec(0usize..40, 0..40),
            cursor in 0u64..50,
        ) {
            let mut ring = Ring::new(8, 100);
            for (number, size) in (1..).zip(&sizes) {
                ring.push(frame(number, *size));
            }
            prop_assert!(ring.frames.len() <= 8);
            prop_assert!(ring.held_bytes <= 100 || ring.frames.len() == 1);
            let head = sizes.len() as u64;
            match ring.after(cursor) {
                After::UpToDate => prop_assert_eq!(cursor, head),
                After::Frame(frame) => prop_assert_eq!(frame.message.event.id.as_str(), (cursor + 1).to_string()),
                After::Lost => prop_assert!(cursor > head || cursor + (ring.frames.len() as u64) < head),
            }
        }
    }
}
