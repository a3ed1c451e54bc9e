//! What other members put on the bus: events of other servers and of Spring applications, acks,
//! reports.

use std::sync::Arc;

use bus::{EventTransport, Inbound};
use contract::delivery::EventState;
use contract::{CommitId, EventId, EventKind, Message};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::delivery::Ack;
use super::journal::Origin;
use super::{Change, clock};
use crate::store::{Cause, Store};
use crate::tasks::Tasks;

/// Hears what others say.
#[derive(Debug)]
pub struct Ears {
    change: Arc<Change>,
    store: Arc<Store>,
    /// The in-process transport: its agents are to hear the others, too.
    nearby: Arc<dyn EventTransport>,
    /// Somebody knows of something newer. One place: any number of hints make one look.
    look: Notify,
}

impl Ears {
    /// Starts listening to `inbound`.
    pub fn start(
        change: Arc<Change>,
        store: Arc<Store>,
        nearby: Arc<dyn EventTransport>,
        inbound: mpsc::Receiver<Inbound>,
        tasks: &Tasks,
        stop: &CancellationToken,
    ) {
        let ears = Arc::new(Self {
            change,
            store,
            nearby,
            look: Notify::new(),
        });
        tasks.spawn("ears", stop, ears.clone().hear(inbound, stop.clone()));
        tasks.spawn("peers", stop, ears.look(stop.clone()));
    }

    async fn hear(self: Arc<Self>, mut inbound: mpsc::Receiver<Inbound>, stop: CancellationToken) {
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                heard = inbound.recv() => match heard {
                    Some(heard) => self.take(heard).await,
                    None => return,
                },
            }
        }
    }

    /// Looks at git apart from hearing, so that a slow remote does not hold up reports.
    async fn look(self: Arc<Self>, stop: CancellationToken) {
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = self.look.notified() => {}
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                outcome = self.store.refresh(Cause::Peer) => {
                    debug!(moved = outcome.moved(), failures = outcome.failures.len(), "looked because of a peer");
                }
            }
        }
    }

    async fn take(&self, heard: Inbound) {
        match heard {
            Inbound::Report(report) => self.change.delivery().heard(&report, clock::now()),
            Inbound::Event(message) => match Ack::of(&message.event) {
                Some(ack) => self.change.delivery().acked(&ack, clock::now()),
                None => self.event(message).await,
            },
            // Events may have been missed.
            _ => self.look.notify_one(),
        }
    }

    /// An event of another server is known here already when both saw the move; a Spring
    /// application's, or an operator's at another server, is not.
    async fn event(&self, message: Message) {
        if matches!(message.event.kind, EventKind::Ack { .. } | EventKind::Unknown(_)) {
            return;
        }
        if self.is_news(&message).await {
            self.look.notify_one();
        }
        let origin = Origin {
            cause: Cause::Peer,
            created: clock::now(),
            expires: None,
            state: EventState::Published,
        };
        let kept = self.change.settings.reports_kept;
        match self.change.journal.add(message.clone(), origin, kept).await {
            Ok(Some(event)) => self.change.delivery.expect(&event),
            Ok(None) => return,
            Err(error) => {
                warn!(event.id = %message.event.id, error = &error as &dyn std::error::Error, "no report on a peer's event");
            }
        }
        if let Err(error) = self.nearby.publish(&message).await {
            warn!(event.id = %message.event.id, %error, "not shown to the agents of this server");
        }
        self.change.shutdown.heard(&message.event);
    }

    /// Whether git may hold something that is not here yet. Who sends a refresh without saying why
    /// knows of a push, as a rule.
    async fn is_news(&self, message: &Message) -> bool {
        match (&message.notice, &message.event.kind) {
            (Some(notice), _) => !self.stands_at(&notice.to) && !self.has_moved(&message.event.id).await,
            (None, EventKind::Refresh) => true,
            (None, _) => false,
        }
    }

    fn stands_at(&self, commit: &CommitId) -> bool {
        self.store.heads().iter().any(|head| head.commit == *commit)
    }

    /// Whether the very move was seen here, and the head has gone on. That it once stood at the
    /// commit says nothing: a rollback leads there again.
    async fn has_moved(&self, id: &EventId) -> bool {
        let moved = self.change.journal.is_own_move(id).await;
        moved.unwrap_or_else(|error| {
            warn!(event.id = %id, error = &error as &dyn std::error::Error, "cannot tell whether a move is known");
            false
        })
    }
}
