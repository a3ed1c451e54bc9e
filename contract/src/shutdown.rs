//! What a member makes of a shutdown event that is meant for it.

use crate::event::BusEvent;

/// What a member makes of a shutdown event that is meant for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shutdown {
    /// It ends.
    Obeyed,
    /// It does not honour such events.
    NotHonoured,
    /// The event was made before the member began: the one before it was meant, and may have ended
    /// for it. What the bus brings again, by another way or after an outage, must not end the next
    /// one as well.
    Outdated,
}

impl Shutdown {
    /// Judges `event` for a member that began at `began` (milliseconds since 1970) and honours such
    /// events or does not. An event that does not say when it was made was made just now.
    #[must_use]
    pub fn of(event: &BusEvent, honoured: bool, began: u64) -> Self {
        if !honoured {
            Self::NotHonoured
        } else if event.timestamp != 0 && event.timestamp < began {
            Self::Outdated
        } else {
            Self::Obeyed
        }
    }

    /// Why the member stays, for the log.
    #[must_use]
    pub fn reason_to_stay(self) -> Option<&'static str> {
        match self {
            Self::Obeyed => None,
            Self::NotHonoured => Some("shutdown events are not honoured here"),
            Self::Outdated => Some("it was made before this process began"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::EventKind;
    use crate::{BusId, Destination, EventId};

    #[test]
    fn only_an_event_made_since_the_member_began_is_obeyed_and_only_where_it_is_honoured() {
        let origin: BusId = "ops:1:a".parse().expect("an id");
        for (made, honoured, began, expected) in [
            (5_000, true, 4_000, Shutdown::Obeyed),
            (4_000, true, 4_000, Shutdown::Obeyed),
            (3_999, true, 4_000, Shutdown::Outdated),
            // Nothing says when it was made.
            (0, true, 4_000, Shutdown::Obeyed),
            (5_000, false, 4_000, Shutdown::NotHonoured),
            (3_999, false, 4_000, Shutdown::NotHonoured),
        ] {
            let event = BusEvent {
                kind: EventKind::Shutdown,
                ..BusEvent::refresh(EventId::random(), made, &origin, Destination::everyone())
            };
            let judged = Shutdown::of(&event, honoured, began);
            assert_eq!(judged, expected, "made {made}, began {began}, honoured {honoured}");
            assert_eq!(judged.reason_to_stay().is_none(), judged == Shutdown::Obeyed);
        }
    }
}
