//! Promise 4: the event of a move is in the outbox from the moment the move is written down, and leaves
//! it only on a confirm. However many messages are lost, every agent ends at the head.

use std::collections::{BTreeMap, BTreeSet};

use contract::{EventId, Message, MoveId};

use super::{Promise, Scene, Verdict, hold};
use crate::simulation::fact::{Answer, Fact};

#[derive(Debug, Default)]
pub(super) struct NeverLost {
    /// By server, what the bus still has to confirm.
    owed: BTreeMap<usize, BTreeSet<Debt>>,
}

/// Names an event before it is seen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Debt {
    Move(String),
    Event(EventId),
}

impl Debt {
    fn of(message: &Message) -> Self {
        let moved = message.notice.as_ref().and_then(|notice| notice.moved.as_ref());
        moved.map_or_else(|| Self::Event(message.event.id.clone()), Self::of_move)
    }

    fn of_move(moved: &MoveId) -> Self {
        Self::Move(moved.to_string())
    }
}

impl Promise for NeverLost {
    fn see(&mut self, _: &Scene<'_>, fact: &Fact) -> Verdict {
        match fact {
            Fact::Moved {
                server,
                moved,
                first: false,
                ..
            } => self.owes(*server, Debt::of_move(moved)),
            Fact::Announced { server, id } => self.owes(*server, Debt::Event(id.clone())),
            Fact::Confirmed { server, message } => {
                self.owed.entry(*server).or_default().remove(&Debt::of(message));
                Ok(())
            }
            Fact::Waiting { server, events } => self.still_waits(*server, events.iter().map(|event| Debt::of(event))),
            Fact::Left { server, waiting } => hold(*waiting == 0, || {
                format!("server {server} still has {waiting} in the outbox")
            }),
            Fact::Settled {
                agent,
                live,
                refused,
                served,
            } => has_arrived(
                *agent,
                live.as_deref(),
                refused.as_deref(),
                served.iter().map(|answer| &**answer),
            ),
            _ => Ok(()),
        }
    }
}

impl NeverLost {
    fn owes(&mut self, server: usize, debt: Debt) -> Verdict {
        self.owed.entry(server).or_default().insert(debt);
        Ok(())
    }

    fn still_waits(&self, server: usize, waiting: impl Iterator<Item = Debt>) -> Verdict {
        let Some(owed) = self.owed.get(&server).filter(|owed| !owed.is_empty()) else {
            return Ok(());
        };
        let waiting: BTreeSet<Debt> = waiting.collect();
        let lost = owed.difference(&waiting).next();
        hold(lost.is_none(), || {
            format!("server {server} has neither a confirm of {lost:?} nor the event")
        })
    }
}

fn has_arrived<'a>(
    agent: usize,
    live: Option<&Answer>,
    refused: Option<&str>,
    mut served: impl Iterator<Item = &'a Answer>,
) -> Verdict {
    let arrived = served.any(|answer| {
        let vetoed = refused == Some(&*answer.revision.digest);
        vetoed || live.is_some_and(|live| live.values == answer.values)
    });
    hold(arrived, || match live {
        Some(live) => format!("agent {agent} is left with {live}, which no server serves"),
        None => format!("agent {agent} is left with nothing"),
    })
}
