//! Acknowledges what was taken, several at a time.

use std::future::pending;
use std::time::Duration;

use futures_util::future::BoxFuture;
use lapin::Acker;
use lapin::options::BasicAckOptions;
use tokio::time::{Instant, sleep_until};

use super::intake::PREFETCH;

/// The broker goes on sending while fewer than it may send ahead are owed.
const MOST: u16 = PREFETCH / 2;
/// How long the last one may wait for company: the queue ends with its connection, so nothing
/// depends on it, and while an event reaches many the broker has better things to do.
const LONGEST: Duration = Duration::from_secs(1);

/// Acknowledgements that are owed, and those on their way.
#[derive(Default)]
pub(super) struct Acks {
    owed: Option<Owed>,
    /// One at a time, in order. A blocked connection holds it back; it must not hold back what is
    /// heard.
    sent: Option<BoxFuture<'static, ()>>,
}

/// The newest delivery stands for all before it.
struct Owed {
    newest: Acker,
    number: u16,
    due: Instant,
}

impl Owed {
    fn settle(self) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            // A failing one means that the connection is going, which shows by itself.
            let _ = self.newest.ack(BasicAckOptions { multiple: true }).await;
        })
    }
}

impl Acks {
    /// One more was taken.
    pub(super) fn owe(&mut self, acker: Acker) {
        let now = Instant::now();
        let owed = self.owed.take();
        let (number, due) = owed.map_or((1, now + LONGEST), |owed| (owed.number.saturating_add(1), owed.due));
        self.owed = Some(Owed {
            newest: acker,
            number,
            due: if number < MOST { due } else { now },
        });
    }

    /// Sends what is due; goes on for ever.
    pub(super) async fn run(&mut self) {
        loop {
            if let Some(sending) = &mut self.sent {
                sending.await;
                self.sent = None;
            }
            match &self.owed {
                Some(owed) => sleep_until(owed.due).await,
                None => pending().await,
            }
            self.sent = self.owed.take().map(Owed::settle);
        }
    }
}
