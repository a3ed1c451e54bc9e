//! The hub inside the server: takes messages, feeds any number of event streams.

use std::num::NonZeroUsize;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use contract::{Affects, EventKind, Message};
use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::ring::{After, Frame, Ring};
use super::sse::{self, SseEvent};
use super::{EXPIRED, KEEP_ALIVE, LAGGED, RESYNC};
use crate::link::LinkState;
use crate::subscriber::{Concern, Subscriber};
use crate::transport::{EventTransport, Receipt, TransportError};

/// A notice longer than this goes out as `affects: *`; the hub itself still filters by the list.
const NOTICE_LIMIT: usize = 8 * 1024;

/// Bounds of a [`Hub`].
#[derive(Debug, Clone, Copy)]
pub struct HubSettings {
    /// How many messages are kept for streams that resume or lag.
    pub replay: NonZeroUsize,
    /// How many bytes of them.
    pub replay_bytes: usize,
    /// How often an idle stream shows that it lives.
    pub keep_alive: Duration,
}

/// The embedded bus. Cheap to clone behind its `Arc`; holds one copy of each message, whatever the
/// number of subscribers.
#[derive(Debug)]
pub struct Hub {
    /// Random name of this hub's numbering: an id of another life means "something was missed".
    epoch: String,
    settings: HubSettings,
    ring: RwLock<Ring>,
    head: watch::Sender<u64>,
    state: watch::Sender<LinkState>,
    stop: CancellationToken,
}

/// One subscriber's place in the ring.
struct Subscription {
    hub: Arc<Hub>,
    subscriber: Subscriber,
    /// The newest frame when it came: what lies before is replayed to it.
    came_at: u64,
    cursor: u64,
    head: watch::Receiver<u64>,
    opening: Option<Bytes>,
}

impl Default for HubSettings {
    fn default() -> Self {
        Self {
            replay: NonZeroUsize::new(1024).expect("1024 is not zero"),
            replay_bytes: 4 * 1024 * 1024,
            keep_alive: KEEP_ALIVE,
        }
    }
}

impl Hub {
    /// A hub whose streams end on `stop`.
    #[must_use]
    pub fn new(settings: HubSettings, stop: CancellationToken) -> Arc<Self> {
        let epoch = Uuid::new_v4().simple().to_string();
        Arc::new(Self {
            epoch: epoch[..8].to_owned(),
            settings,
            ring: RwLock::new(Ring::new(settings.replay.get(), settings.replay_bytes)),
            head: watch::Sender::new(0),
            state: watch::Sender::new(LinkState::Connected),
            stop,
        })
    }

    /// How many streams are open.
    #[must_use]
    pub fn subscribers(&self) -> usize {
        self.head.receiver_count()
    }

    /// The bytes of an event stream for `subscriber`: what concerns it, from now on or from after
    /// `last_event_id`, with something to keep it alive in between.
    ///
    /// A shutdown event is not replayed. An id that is gone (or of another life of the server) gets a
    /// `resync` event first, and so does a reader too slow for the replay: it looks once instead of
    /// hearing each.
    pub fn subscribe(
        self: &Arc<Self>,
        subscriber: Subscriber,
        last_event_id: Option<&str>,
    ) -> impl Stream<Item = Bytes> + Send + use<> {
        let head = self.head.subscribe();
        let newest = self.read(Ring::head);
        let resumed = last_event_id.map(|id| self.cursor(id).filter(|cursor| self.holds(*cursor)));
        let (cursor, opening) = match resumed {
            None => (newest, sse::keep_alive(&self.id(newest))),
            Some(Some(cursor)) => (cursor, sse::keep_alive(&self.id(cursor))),
            Some(None) => (newest, self.resync(newest, EXPIRED)),
        };
        let subscription = Subscription {
            hub: Arc::clone(self),
            subscriber,
            came_at: newest,
            cursor,
            head,
            opening: Some(opening),
        };
        unfold(subscription, |mut subscription| async {
            let bytes = subscription.next().await?;
            Some((bytes, subscription))
        })
    }

    fn read<T>(&self, look: impl FnOnce(&Ring) -> T) -> T {
        look(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn holds(&self, cursor: u64) -> bool {
        !matches!(self.read(|ring| ring.after(cursor)), After::Lost)
    }

    fn id(&self, number: u64) -> String {
        format!("{}-{number}", self.epoch)
    }

    fn cursor(&self, id: &str) -> Option<u64> {
        let (epoch, number) = id.rsplit_once('-')?;
        (epoch == self.epoch).then(|| number.parse().ok())?
    }

    fn resync(&self, number: u64, why: &str) -> Bytes {
        SseEvent {
            event: RESYNC.to_owned(),
            data: why.to_owned(),
            id: self.id(number),
        }
        .encode()
    }
}

#[async_trait]
impl EventTransport for Hub {
    async fn publish(&self, message: &Message) -> Result<Receipt, TransportError> {
        if self.stop.is_cancelled() {
            return Err(TransportError::NotConnected("the server is stopping".to_owned()));
        }
        let data = data_of(message);
        if data.len() > sse::MAX_EVENT / 2 {
            return Err(TransportError::Refused("the event is too long".to_owned()));
        }
        let head = {
            let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
            let event = SseEvent {
                event: String::new(),
                data,
                id: self.id(ring.head() + 1),
            };
            ring.push(Frame {
                message: message.clone(),
                bytes: event.encode(),
            });
            ring.head()
        };
        // Two publishers may arrive here in the other order; the head only ever grows.
        self.head.send_modify(|known| *known = head.max(*known));
        Ok(Receipt {
            heard: self.subscribers() > 0,
        })
    }

    fn state(&self) -> watch::Receiver<LinkState> {
        self.state.subscribe()
    }
}

impl Subscription {
    /// The next bytes to send; `None` ends the stream.
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(opening) = self.opening.take() {
            return Some(opening);
        }
        // Events for others say nothing on this stream: they must not put its sign of life off.
        let quiet = Instant::now() + self.hub.settings.keep_alive;
        loop {
            match self.hub.read(|ring| ring.after(self.cursor)) {
                After::Frame(frame) => {
                    self.cursor += 1;
                    if self.is_to_hear(&frame.message) {
                        return Some(frame.bytes.clone());
                    }
                }
                After::Lost => {
                    self.cursor = self.hub.read(Ring::head);
                    return Some(self.hub.resync(self.cursor, LAGGED));
                }
                After::UpToDate => tokio::select! {
                    biased;
                    () = self.hub.stop.cancelled() => return None,
                    () = sleep_until(quiet) => {
                        return Some(sse::keep_alive(&self.hub.id(self.cursor)));
                    }
                    changed = self.head.changed() => changed.ok()?,
                },
            }
        }
    }

    /// Decides over the frame at the cursor. A shutdown event is for those who are there when it is
    /// sent, as on a broker: it is not replayed.
    fn is_to_hear(&self, message: &Message) -> bool {
        let replayed = self.cursor <= self.came_at;
        let too_late = replayed && message.event.kind == EventKind::Shutdown;
        !too_late && self.subscriber.concern(message) == Concern::Addressed
    }
}

fn data_of(message: &Message) -> String {
    let data = message.to_frame();
    match &message.notice {
        Some(notice) if data.len() > NOTICE_LIMIT => {
            let mut short = message.clone();
            let mut notice = notice.clone();
            notice.affects = Affects::All;
            short.notice = Some(notice);
            short.to_frame()
        }
        _ => data,
    }
}

#[cfg(test)]
mod tests;
