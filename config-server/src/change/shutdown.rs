//! Events that ask this server to end.

use contract::{BusEvent, BusId, EventKind, Shutdown as Verdict};
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::settings::ChangeSettings;

/// What this server does about shutdown events. A cheap handle.
#[derive(Debug, Clone)]
pub struct Shutdown {
    me: BusId,
    honoured: bool,
    /// Milliseconds since 1970.
    began: u64,
    asked: CancellationToken,
}

impl Shutdown {
    /// For a server that began at `began`.
    #[must_use]
    pub fn new(settings: &ChangeSettings, began: u64) -> Self {
        Self {
            me: settings.bus_id.clone(),
            honoured: settings.shutdown_events,
            began,
            asked: CancellationToken::new(),
        }
    }

    /// The bus has `event`, from another member or from this one: Spring's members obey their own
    /// shutdown events, too.
    pub fn heard(&self, event: &BusEvent) {
        let Some(verdict) = self.judge(event) else {
            return;
        };
        let (id, origin) = (&event.id, &event.origin);
        match verdict.reason_to_stay() {
            Some(reason) => info!(event.id = %id, origin, reason, "a shutdown event is ignored"),
            None => {
                info!(event.id = %id, origin, "a shutdown event asks this server to end");
                self.asked.cancel();
            }
        }
    }

    /// Waits until an event that is obeyed was heard.
    pub async fn asked(&self) {
        self.asked.cancelled().await;
    }

    /// `None` when the event is another one, or for others.
    fn judge(&self, event: &BusEvent) -> Option<Verdict> {
        let destination = event.destination.as_ref()?;
        let meant = event.kind == EventKind::Shutdown && destination.matches(&self.me, &[]);
        meant.then(|| Verdict::of(event, self.honoured, self.began))
    }
}

#[cfg(test)]
mod tests {
    use contract::{Destination, EventId};

    use super::*;

    const BEGAN: u64 = 1_000;

    #[test]
    fn a_server_obeys_what_names_it_was_made_since_its_start_and_is_honoured() {
        let other: BusId = "ops:1:x".parse().expect("an id");
        let me: BusId = "config-server:8888:a".parse().expect("an id");
        for (honoured, origin, destination, made, expected) in [
            (true, &other, "**", BEGAN, Some(Verdict::Obeyed)),
            (true, &other, "config-server:**", BEGAN, Some(Verdict::Obeyed)),
            (true, &other, "config-server:8888:a", BEGAN, Some(Verdict::Obeyed)),
            (true, &me, "config-server:**", BEGAN, Some(Verdict::Obeyed)),
            (true, &me, "orders:**", BEGAN, None),
            (true, &other, "config-server:8888:b", BEGAN, None),
            (true, &other, "config-server:**", BEGAN - 1, Some(Verdict::Outdated)),
            (false, &other, "config-server:**", BEGAN, Some(Verdict::NotHonoured)),
            (false, &other, "orders:**", BEGAN, None),
        ] {
            let settings = ChangeSettings {
                shutdown_events: honoured,
                ..ChangeSettings::new(me.clone())
            };
            let server = Shutdown::new(&settings, BEGAN);
            let mut event = BusEvent::refresh(EventId::random(), made, origin, Destination::received(destination));
            assert_eq!(server.judge(&event), None, "a refresh to {destination}");
            event.kind = EventKind::Shutdown;
            assert_eq!(server.judge(&event), expected, "from {origin} to {destination}");
            event.destination = None;
            assert_eq!(server.judge(&event), None, "to nobody");
        }
    }
}
