//! What a server does: looks at the remote, moves its heads, publishes, answers.

use std::sync::Arc;

use bus::TransportError;
use config_server::change::journal::StoredEvent;
use config_server::store::Cause;
use contract::{Affects, Message};

use super::bus::Letter;
use super::disturb::Wound;
use super::{Happening, World};
use crate::simulation::agenda::Millis;
use crate::simulation::broken::Broken;
use crate::simulation::fact::Fact;
use crate::simulation::remote::{Refs, branch_named};
use crate::simulation::server::{Next, Written};

/// The server looks at the remote at least this often.
const TICK: Millis = 30_000;
/// Looks that only readers want are this far apart.
const LOOK_PAUSE: Millis = 1_000;
/// A look that hangs is given up.
const LOOK_TIMEOUT: Millis = 10_000;
/// For how long the broken order of swap and event is wrong.
const LATE_SWAP: Millis = 3_000;

impl World {
    pub(super) fn start_server(&mut self, server: usize) {
        self.servers[server].tell_time(self.agenda.now());
        self.servers[server].start();
        let written = self.servers[server].warm_up(&self.remote);
        self.wrote(server, &written);
        let incarnation = self.servers[server].incarnation;
        self.agenda.plan(TICK, Happening::Tick { server, incarnation });
        self.look(server, Cause::Start);
        self.publish(server);
    }

    pub(super) fn tick(&mut self, server: usize, incarnation: u64) {
        if self.is_running_server(server, incarnation) {
            self.agenda.plan(TICK, Happening::Tick { server, incarnation });
            self.servers[server].write_reports();
            self.look(server, Cause::Tick);
        }
    }

    /// Wakes the refresher.
    pub(super) fn look(&mut self, server: usize, cause: Cause) {
        if let Some(life) = &mut self.servers[server].life {
            life.rounds.order(cause, None);
            self.start_look(server);
        }
    }

    pub(super) fn may_look(&mut self, server: usize, incarnation: u64) {
        if self.is_running_server(server, incarnation) {
            self.start_look(server);
        }
    }

    pub(super) fn start_look(&mut self, server: usize) {
        let incarnation = self.servers[server].incarnation;
        let now = self.agenda.now();
        let Some(life) = &mut self.servers[server].life else {
            return;
        };
        if !life.rounds.start(life.rested_at <= now) {
            if life.rounds.is_held() {
                let rested = life.rested_at.saturating_sub(now);
                self.agenda.plan(rested, Happening::MayLook { server, incarnation });
            }
            return;
        }
        let (refs, time) = if self.wounds.contains(&Wound::Git(server)) {
            (None, LOOK_TIMEOUT)
        } else {
            (Some(self.remote.refs()), self.between(5, 2_000))
        };
        let ends = Happening::LookEnds {
            server,
            incarnation,
            refs,
        };
        self.agenda.plan(time, ends);
    }

    pub(super) fn look_ends(&mut self, server: usize, incarnation: u64, refs: Option<Refs>) {
        if !self.is_running_server(server, incarnation) {
            return;
        }
        if let (Some(Broken::EventBeforeSwap), Some(refs)) = (self.broken, refs) {
            let written = self.servers[server].foretell(refs, &self.remote);
            if !written.is_empty() {
                self.wrote(server, &written);
                self.publish(server);
                let refs = Some(refs);
                let late = Happening::LookEnds {
                    server,
                    incarnation,
                    refs,
                };
                return self.agenda.plan(LATE_SWAP, late);
            }
        }
        let written = self.servers[server].looked(refs, &self.remote);
        self.wrote(server, &written);
        let life = self.servers[server].life.as_mut().expect("it runs");
        life.rested_at = self.agenda.now() + LOOK_PAUSE;
        for request in life.rounds.finish() {
            self.answer(request, true);
        }
        self.start_look(server);
        self.publish(server);
    }

    pub(super) fn wrote(&mut self, server: usize, written: &[Written]) {
        for written in written.iter().cloned() {
            self.tell(Fact::Moved {
                server,
                label: written.label,
                moved: written.moved,
                first: written.first,
                position: written.position,
            });
        }
    }

    /// An operator asks for a refresh of everybody.
    pub(super) fn announce(&mut self, server: usize) {
        if let Some(id) = self.servers[server].announce() {
            self.tell(Fact::Announced { server, id });
        }
        self.look(server, Cause::Operator);
        self.publish(server);
    }

    pub(super) fn publish_again(&mut self, server: usize, incarnation: u64, turn: u64) {
        if self.is_running_server(server, incarnation) && self.turns[server] == turn {
            self.publish(server);
        }
    }

    /// Lets the publisher do what it can.
    pub(super) fn publish(&mut self, server: usize) {
        if self.servers[server].life.is_none() {
            return;
        }
        loop {
            let events = self.servers[server].outbox();
            self.waits(server, &events);
            self.show(server, &events);
            let luck = self.rng.f64();
            let next = self.servers[server].publish(events, self.agenda.now(), luck);
            match next {
                Next::Send { number, message } => {
                    if !self.send(server, number, message) {
                        return;
                    }
                }
                Next::Rest(time) => return self.rest(server, time),
            }
        }
    }

    fn rest(&mut self, server: usize, time: Millis) {
        self.turns[server] += 1;
        let (turn, incarnation) = (self.turns[server], self.servers[server].incarnation);
        let publish = Happening::Publish {
            server,
            incarnation,
            turn,
        };
        self.agenda.plan(time, publish);
    }

    /// Whether the event was dealt with at once.
    fn send(&mut self, server: usize, number: u64, message: Arc<Message>) -> bool {
        let message = self.spoiled(message);
        self.leaves(server, &message);
        if self.broken == Some(Broken::NoConfirm) {
            self.servers[server].forget(number);
            let events = self.servers[server].outbox();
            self.waits(server, &events);
        }
        if self.scenario.embedded {
            self.stream(server, &message);
            self.confirm(server, number, &message);
            return true;
        }
        if self.wounds.contains(&Wound::ServerBus(server)) {
            self.refuse(server, number);
            return true;
        }
        let letter = Letter {
            server,
            incarnation: self.servers[server].incarnation,
            link: self.server_links[server],
            number,
            message,
        };
        let time = self.between(1, 50);
        self.agenda.plan(time, Happening::ReachesBroker(letter));
        false
    }

    pub(super) fn confirm(&mut self, server: usize, number: u64, message: &Arc<Message>) {
        let (luck, now) = (self.rng.f64(), self.agenda.now());
        self.servers[server].sent(number, Ok(()), now, luck);
        let message = Arc::clone(message);
        self.tell(Fact::Confirmed { server, message });
    }

    pub(super) fn refuse(&mut self, server: usize, number: u64) {
        let (luck, now) = (self.rng.f64(), self.agenda.now());
        let gone = TransportError::NotConnected("the broker is away".to_owned());
        self.servers[server].sent(number, Err(gone), now, luck);
    }

    /// Agents that listen to this server hear at once what the broker has not got.
    fn show(&mut self, server: usize, events: &[StoredEvent]) {
        if self.scenario.embedded {
            return;
        }
        for message in self.servers[server].unshown(events) {
            let message = self.spoiled(message);
            self.leaves(server, &message);
            self.stream(server, &message);
        }
    }

    fn leaves(&mut self, server: usize, message: &Arc<Message>) {
        let label = message.notice.as_ref().map(|notice| notice.label.as_str());
        let branch = label.and_then(branch_named).unwrap_or_default();
        let serves = self.servers[server].serves(branch, &self.remote);
        let message = Arc::clone(message);
        self.tell(Fact::Sent {
            server,
            message,
            serves,
        });
        let written = self.servers[server].take_written();
        self.wrote(server, &written);
    }

    fn waits(&mut self, server: usize, events: &[StoredEvent]) {
        let events = events.iter().map(|event| Arc::new(event.message.clone())).collect();
        self.tell(Fact::Waiting { server, events });
    }

    fn spoiled(&self, message: Arc<Message>) -> Arc<Message> {
        if self.broken != Some(Broken::GuessesNarrow) {
            return message;
        }
        let mut message = (*message).clone();
        if let Some(notice) = &mut message.notice {
            notice.affects = Affects::union([]);
        }
        Arc::new(message)
    }
}
