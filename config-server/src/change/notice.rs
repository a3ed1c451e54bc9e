//! From a head move to the message that announces it.
//!
//! Pure: two snapshots in, a message out, so every server that sees the same move says the same.

use contract::{Affects, BusEvent, BusId, CommitId, Destination, EventId, Label, Message, MoveId, Notice};

use super::links::{Links, Memory};
use crate::engine::affects::affects;
use crate::engine::diff::diff;
use crate::store::HeadMove;

/// Who announces, and how those who hear it should spread what they do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    pub bus_id: BusId,
    pub spread_millis: u64,
    pub report_spread_millis: u64,
}

/// One move of a head by the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub label: Label,
    pub from: CommitId,
    pub to: CommitId,
    pub moved: MoveId,
}

/// Whom the move touches. A commit that changes no configuration touches nobody. Where nothing is
/// known of the state before (a first sight, or a mirror made anew), everybody is touched: files
/// that are gone by now are seen nowhere.
#[must_use]
pub fn touched(moved: &HeadMove, memory: &mut Memory) -> Affects {
    let Some(from) = moved.from.as_ref().filter(|from| !from.root.entries.is_empty()) else {
        return Affects::All;
    };
    let changes = diff(&from.root, &moved.to.root);
    // A file may also be reached by an import, a profile that includes its profile, or a symbolic
    // link, before the move or after it.
    let mut links = Links::default();
    links.add(&memory.links(&from.root));
    links.add(&memory.links(&moved.to.root));
    links.widen(&changes, affects(&changes, &moved.layout))
}

/// The message for one move. It is addressed to everybody: an application of Spring knows nothing of
/// scopes and refreshes, ours leave the untouched alone.
#[must_use]
pub fn compose(sender: &Sender, id: EventId, step: Step, affects: Affects, time: u64) -> Message {
    let event = BusEvent::refresh(id, time, &sender.bus_id, Destination::everyone());
    let notice = Notice {
        label: step.label,
        from: Some(step.from),
        to: step.to,
        affects,
        spread_millis: sender.spread_millis,
        report_spread_millis: sender.report_spread_millis,
        moved: Some(step.moved),
    };
    Message {
        event,
        notice: Some(notice),
    }
}

#[cfg(test)]
mod tests;
