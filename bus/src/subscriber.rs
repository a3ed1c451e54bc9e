//! Who listens, and what concerns it.

use contract::{AppName, BusId, EventKind, Label, Message, Profile};

/// An agent as the bus sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscriber {
    /// Its name on the bus.
    pub bus_id: BusId,
    /// The applications whose configuration it reads; also further names a destination may call
    /// it by (spring-cloud-bus contract 1.4).
    pub applications: Vec<AppName>,
    /// Its profiles; none is `default`.
    pub profiles: Vec<Profile>,
    /// The label it follows, for the record only: a label may fall back to another one on the
    /// server, so it narrows nothing.
    pub label: Option<Label>,
}

/// What a message is to a subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concern {
    /// It is meant: deliver.
    Addressed,
    /// It is meant for others, for the servers, or is the subscriber's own.
    Elsewhere,
    /// It is addressed, but the change touches nothing the subscriber reads.
    OutOfScope,
    /// Its type is not known to this version.
    Unknown,
}

impl Subscriber {
    /// Decides what `message` is to this subscriber.
    #[must_use]
    pub fn concern(&self, message: &Message) -> Concern {
        let names: Vec<&str> = self.applications.iter().map(AppName::as_str).collect();
        match message.event.kind {
            EventKind::Ack { .. } => return Concern::Elsewhere,
            EventKind::Unknown(_) => return Concern::Unknown,
            _ => {}
        }
        if !message.event.is_for(&self.bus_id, &names) {
            return Concern::Elsewhere;
        }
        match &message.notice {
            Some(notice) if !notice.affects.covers(&names, &Profile::names(&self.profiles)) => Concern::OutOfScope,
            _ => Concern::Addressed,
        }
    }
}

#[cfg(test)]
mod tests {
    use contract::{Affects, BusEvent, Destination, EventId, Notice, Scope};

    use super::*;

    fn agent() -> Subscriber {
        Subscriber {
            bus_id: "orders:dev,eu:8080:u1".parse().expect("an id"),
            applications: vec!["orders".parse().expect("a name"), "three".parse().expect("a name")],
            profiles: vec!["dev".parse().expect("a profile"), "eu".parse().expect("a profile")],
            label: None,
        }
    }

    fn message(destination: &str, affects: Option<Affects>) -> Message {
        let origin: BusId = "config-server:8888:a".parse().expect("an id");
        Message {
            event: BusEvent::refresh(EventId::random(), 1, &origin, Destination::received(destination)),
            notice: affects.map(|affects| Notice {
                label: "main".parse().expect("a label"),
                from: None,
                to: "a".repeat(40).parse().expect("a commit"),
                affects,
                spread_millis: 0,
                report_spread_millis: 0,
                moved: None,
            }),
        }
    }

    #[test]
    fn destinations_concern_as_the_conformance_table_says() {
        for (destination, expected) in [
            ("**", Concern::Addressed),
            ("*:**", Concern::Addressed),
            ("orders:**", Concern::Addressed),
            ("orders:eu:**", Concern::Addressed),
            ("orders:prod:**", Concern::Elsewhere),
            ("orders:dev:8080", Concern::Elsewhere),
            ("orders:dev:8080:**", Concern::Addressed),
            ("orders:dev,eu:8080:**", Concern::Addressed),
            ("orders2:**", Concern::Elsewhere),
            ("ORDERS:**", Concern::Elsewhere),
            ("o?ders:**", Concern::Addressed),
            ("three:**", Concern::Addressed),
            ("", Concern::Addressed),
        ] {
            assert_eq!(agent().concern(&message(destination, None)), expected, "{destination}");
        }
    }

    #[test]
    fn a_notice_outside_the_scope_is_not_delivered() {
        let inside = Affects::union([Scope::new(Some("orders"), Some("eu"))]);
        let outside = Affects::union([Scope::new(Some("orders"), Some("prod"))]);
        assert_eq!(agent().concern(&message("**", Some(inside))), Concern::Addressed);
        assert_eq!(agent().concern(&message("**", Some(outside))), Concern::OutOfScope);
    }

    #[test]
    fn without_profiles_the_default_profile_is_read() {
        let mut plain = agent();
        plain.profiles.clear();
        let default = Affects::union([Scope::new(None, Some("default"))]);
        assert_eq!(plain.concern(&message("**", Some(default))), Concern::Addressed);
    }

    #[test]
    fn acks_are_for_servers_and_own_events_for_nobody() {
        let mut ack = message("**", None);
        ack.event.kind = EventKind::Ack {
            acked: None,
            acked_destination: None,
            event: None,
        };
        assert_eq!(agent().concern(&ack), Concern::Elsewhere);
        let mut own = message("**", None);
        own.event.origin = agent().bus_id.to_string();
        assert_eq!(agent().concern(&own), Concern::Elsewhere);
    }
}
