//! Acks of Spring applications, read as reports that name no version.

use contract::event::{self, EventKind};
use contract::{BusEvent, BusId, EventId};

/// One ack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack<'a> {
    /// Who acknowledges.
    pub origin: BusId,
    /// The event, when the ack still says so: a bus 5 that relays an ack loses it
    /// (spring-cloud-bus contract 1.2).
    pub event: Option<&'a EventId>,
    /// Where that event was sent, when the ack says so.
    pub destination: Option<&'a str>,
    /// The type of that event, without its package.
    pub kind: Option<&'a str>,
}

impl<'a> Ack<'a> {
    /// Reads `event` as an ack; `None` when it is none, or of a member that has no proper name.
    #[must_use]
    pub fn of(event: &'a BusEvent) -> Option<Self> {
        let EventKind::Ack {
            acked,
            acked_destination,
            event: class,
        } = &event.kind
        else {
            return None;
        };
        Some(Self {
            origin: event.origin.parse().ok()?,
            event: acked.as_ref(),
            destination: acked_destination.as_deref(),
            kind: class.as_deref().map(|class| class.rsplit('.').next().unwrap_or(class)),
        })
    }

    /// Whether it acknowledges that it was asked to end. It says nothing: a Spring application sends
    /// it as well where such events are off, and cannot any more once it has ended.
    #[must_use]
    pub fn is_of_shutdown(&self) -> bool {
        self.kind == Some(event::SHUTDOWN)
    }

    /// Whether this may be the ack of `event`, as far as it says anything.
    #[must_use]
    pub fn fits(&self, event: &BusEvent) -> bool {
        if let Some(id) = self.event {
            return *id == event.id;
        }
        let sent_to = event.destination.as_ref().map(contract::Destination::as_str);
        self.kind.is_none_or(|kind| kind == event.type_name())
            && self.destination.is_none_or(|destination| Some(destination) == sent_to)
            && event.is_for(&self.origin, &[])
    }
}
