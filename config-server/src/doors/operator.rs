//! `POST /bus/refresh` and Spring's `busrefresh`: look now, then tell everybody.

use std::time::Duration;

use contract::delivery::EventState;
use contract::{Affects, Destination, EventKind, RefreshReceipt};

use crate::change::Change;
use crate::change::journal::{JournalError, StoredEvent};
use crate::store::{Cause, RefreshOutcome, Store};

/// How long a caller waits to hear whether the bus has taken the event.
const TAKEN: Duration = Duration::from_secs(2);

/// What came of a call.
#[derive(Debug, Clone)]
pub struct Refreshed {
    pub event: StoredEvent,
    pub outcome: RefreshOutcome,
}

/// Looks at git, with a fetch that starts after this call, and sees to it that an event goes out.
///
/// When a head moved, its event is already queued, names the commit and is for everybody it touches:
/// a second one would only make them look twice. With nothing new an event goes to `destination` all
/// the same, for that is what Spring's users expect of the call.
///
/// # Errors
/// [`JournalError`] when the event cannot be written down; then none goes out.
pub async fn refresh(
    store: &Store,
    change: &Change,
    destination: Destination,
    cause: Cause,
) -> Result<Refreshed, JournalError> {
    let outcome = store.refresh(cause).await;
    let event = match moved(change, &outcome).await? {
        Some(event) => event,
        None => change.announce(destination, EventKind::Refresh, cause).await?,
    };
    Ok(Refreshed { event, outcome })
}

/// The event of the first head that moved, when one did.
///
/// # Errors
/// [`JournalError`] when the journal cannot be read.
pub async fn moved(change: &Change, outcome: &RefreshOutcome) -> Result<Option<StoredEvent>, JournalError> {
    for head in outcome.heads.iter().filter(|head| head.previous.is_some()) {
        let event = change
            .event_of_move(&head.repository, &head.label, &head.commit)
            .await?;
        if event.is_some() {
            return Ok(event);
        }
    }
    Ok(None)
}

impl Refreshed {
    /// The receipt, once it is known whether the bus has taken the event.
    ///
    /// # Errors
    /// [`JournalError`] when the journal cannot be read.
    pub async fn receipt(&self, change: &Change) -> Result<RefreshReceipt, JournalError> {
        change.flush(TAKEN).await;
        let event = &self.event;
        let report = change.delivery().report(event.id()).await?;
        let notice = event.message.notice.as_ref();
        let only = match self.outcome.heads.as_slice() {
            [head] => Some(head.commit.clone()),
            _ => None,
        };
        let failures = self.outcome.failures.iter();
        Ok(RefreshReceipt {
            id: event.id().clone(),
            state: report.map_or(EventState::Queued, |report| report.state),
            commit: notice.map(|notice| notice.to.clone()).or(only),
            previous: notice.and_then(|notice| notice.from.clone()),
            destination: event
                .message
                .event
                .destination
                .clone()
                .unwrap_or_else(Destination::everyone),
            affects: notice.map_or(Affects::All, |notice| notice.affects.clone()),
            report: format!("/bus/refreshes/{}", event.id()),
            failures: failures.map(|failure| failure.message.clone()).collect(),
        })
    }
}
