//! From the outbox to the bus: the product's plan and journal, step by step.

use std::sync::Arc;

use bus::TransportError;
use config_server::change::journal::{Origin, StoredEvent};
use config_server::change::publisher::plan::{Queued, Step};
use config_server::store::{Cause, HeadLog};
use contract::delivery::EventState;
use contract::{AgentStatus, Destination, EventId, EventKind, Message};

use super::{Life, REPOSITORY, Server, at_once};
use crate::simulation::agenda::Millis;

/// Events looked at in one go.
const BATCH: usize = 256;
/// Settled events that are kept.
const KEPT: usize = 200;
/// The publisher looks this often, whatever it was told.
const PERIOD: Millis = 15_000;

/// What the publisher does next.
#[derive(Debug)]
pub enum Next {
    /// It hands this event to the bus.
    Send { number: u64, message: Arc<Message> },
    /// It looks again after so many milliseconds.
    Rest(Millis),
}

impl Server {
    /// What waits in the outbox.
    #[must_use]
    pub fn outbox(&self) -> Vec<StoredEvent> {
        at_once(self.journal.queued(BATCH)).expect("a readable journal")
    }

    /// Does what can be done about `events`, the outbox, without the bus, and says what is next.
    pub fn publish(&mut self, mut events: Vec<StoredEvent>, now: Millis, luck: f64) -> Next {
        loop {
            let moment = self.moment(now);
            let Some(life) = self.life.as_mut().filter(|life| life.sending.is_none()) else {
                return Next::Rest(PERIOD);
            };
            let queued: Vec<Queued> = events.iter().map(Queued::from).collect();
            match life.plan.next(&queued, moment) {
                Step::Rest => return Next::Rest(PERIOD),
                Step::Wait(until) => return Next::Rest(self.until(now, until).min(PERIOD)),
                Step::Send(number) => {
                    life.sending = Some(number);
                    let message = chosen(&events, number).message.clone();
                    return Next::Send {
                        number,
                        message: Arc::new(message),
                    };
                }
                _ if self.disk_full => life.plan.unwritable(moment.steady, luck),
                Step::Record { number, time } => {
                    self.record(chosen(&events, number), time);
                    events = self.outbox();
                }
                Step::Expire(number) => {
                    at_once(self.journal.expired(number, KEPT)).expect("a writable journal");
                    life.plan.settled(number);
                    events = self.outbox();
                }
            }
        }
    }

    fn record(&mut self, event: &StoredEvent, time: u64) {
        at_once(self.journal.published(event.number, time, KEPT)).expect("a writable journal");
        if let Some(life) = &mut self.life {
            life.plan.settled(event.number);
            life.change.delivery().published(event.id(), time);
        }
    }

    /// Takes an event out of the outbox that nobody has confirmed.
    pub fn forget(&mut self, number: u64) {
        at_once(self.journal.published(number, 0, KEPT)).expect("a writable journal");
    }

    /// The bus has taken the event, or has not.
    pub fn sent(&mut self, number: u64, taken: Result<(), TransportError>, now: Millis, luck: f64) {
        let moment = self.moment(now);
        let Some(life) = &mut self.life else { return };
        life.sending = None;
        match taken {
            Ok(()) => life.plan.confirmed(number, moment.wall),
            Err(error) => life.plan.failed(number, &error, moment.steady, luck),
        }
    }

    /// What of the outbox the agents of this server have not been shown.
    pub fn unshown(&mut self, events: &[StoredEvent]) -> Vec<Arc<Message>> {
        let Some(life) = &mut self.life else {
            return Vec::new();
        };
        let new = events.iter().filter(|event| event.number > life.shown);
        let new = new.map(|event| Arc::new(event.message.clone())).collect();
        life.shown = events.last().map_or(life.shown, |last| last.number.max(life.shown));
        new
    }

    /// An operator wants everybody to look.
    pub fn announce(&mut self) -> Option<EventId> {
        let life = self.life.as_ref().filter(|_| !self.disk_full)?;
        let announced = life
            .change
            .announce(Destination::everyone(), EventKind::Refresh, Cause::Operator);
        Some(at_once(announced).expect("a writable journal").id().clone())
    }

    /// An event of another server; whether it names something that is not here.
    pub fn heard(&mut self, message: &Message) -> bool {
        let moment = self.moment(0);
        let Some(life) = &self.life else { return false };
        let news = life.lacks(message);
        let origin = Origin {
            cause: Cause::Peer,
            created: moment.wall,
            expires: None,
            state: EventState::Published,
        };
        if !self.disk_full
            && let Some(event) = at_once(self.journal.add(message.clone(), origin, KEPT)).expect("a writable journal")
        {
            life.change.delivery().expect(&event);
        }
        news
    }

    /// An agent's report.
    pub fn hear_report(&self, report: &contract::Report, now: Millis) {
        if let Some(life) = &self.life {
            life.change.delivery().heard(report, self.moment(now).wall);
        }
    }

    /// What this server knows of the agents.
    #[must_use]
    pub fn agents(&self) -> Vec<AgentStatus> {
        let life = self.life.as_ref();
        life.map(|life| life.change.delivery().agents()).unwrap_or_default()
    }

    /// Writes down what agents reported.
    pub fn write_reports(&self) {
        if let Some(life) = self.life.as_ref().filter(|_| !self.disk_full) {
            at_once(life.change.delivery().flush()).expect("a writable journal");
        }
    }
}

impl Life {
    fn lacks(&self, message: &Message) -> bool {
        let Some(notice) = &message.notice else {
            return message.event.kind == EventKind::Refresh;
        };
        let stands = self.heads.all().iter().any(|head| *head.commit() == notice.to);
        !stands && !at_once(self.change.visited(REPOSITORY, &notice.label, &notice.to))
    }
}

fn chosen(events: &[StoredEvent], number: u64) -> &StoredEvent {
    let chosen = events.iter().find(|event| event.number == number);
    chosen.expect("the plan chooses among what it was given")
}
