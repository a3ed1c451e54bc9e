//! What the bus does: carries, loses, repeats and reorders.

use std::sync::Arc;

use bus_agent::reconcile::Input;
use config_server::store::Cause;
use contract::{Affects, EventId, Message};

use super::disturb::Wound;
use super::{Happening, World};
use crate::simulation::agenda::Millis;
use crate::simulation::agent::Way;
use crate::simulation::broken::Broken;
use crate::simulation::fact::Fact;

/// How long a publisher waits for a confirm.
const CONFIRM_TIMEOUT: Millis = 10_000;
/// How long an agent is patient with the broker.
const PATIENCE: Millis = 30_000;
/// When a stream that broke is opened again.
const STREAM_PAUSE: Millis = 3_000;

/// An event on its way to the broker.
#[derive(Debug)]
pub(super) struct Letter {
    pub(super) server: usize,
    pub(super) incarnation: u64,
    pub(super) link: u64,
    pub(super) number: u64,
    pub(super) message: Arc<Message>,
}

impl World {
    /// The broker has the event, unless the connection broke: every queue gets one, or none, or two.
    pub(super) fn reaches_broker(&mut self, letter: Letter) {
        let stands = self.server_links[letter.server] == letter.link;
        if stands {
            self.broadcast(&letter);
        }
        let (taken, time) = if stands && self.chance(self.scenario.unconfirmed) && !self.calm {
            (false, CONFIRM_TIMEOUT)
        } else {
            (stands, self.between(1, 50))
        };
        self.agenda.plan(time, Happening::Settles { letter, taken });
    }

    /// The publisher hears what became of the event.
    pub(super) fn settles(&mut self, letter: &Letter, taken: bool) {
        if !self.is_running_server(letter.server, letter.incarnation) {
            return;
        }
        if taken && self.server_links[letter.server] == letter.link {
            self.confirm(letter.server, letter.number, &letter.message);
        } else {
            self.refuse(letter.server, letter.number);
        }
        self.publish(letter.server);
    }

    fn broadcast(&mut self, letter: &Letter) {
        for agent in 0..self.agents.len() {
            if self.agents[agent].link.way == Some(Way::Broker) {
                self.carry(agent, &letter.message);
            }
        }
        for server in (0..self.servers.len()).filter(|server| *server != letter.server) {
            if !self.scenario.deaf && !self.wounds.contains(&Wound::ServerBus(server)) {
                let time = self.between(0, self.scenario.slowest);
                let reaches = Happening::ReachesServer {
                    server,
                    incarnation: self.servers[server].incarnation,
                    message: Arc::clone(&letter.message),
                };
                self.agenda.plan(time, reaches);
            }
        }
    }

    /// The agents that listen to this server get the event.
    pub(super) fn stream(&mut self, server: usize, message: &Arc<Message>) {
        for agent in 0..self.agents.len() {
            if self.agents[agent].link.way == Some(Way::Stream(server)) {
                self.carry(agent, message);
            }
        }
    }

    fn carry(&mut self, agent: usize, message: &Arc<Message>) {
        if self.scenario.deaf || self.chance(self.scenario.lost) {
            return;
        }
        let copies = if self.chance(self.scenario.repeated) { 2 } else { 1 };
        for _ in 0..copies {
            let time = self.between(0, self.scenario.slowest);
            let reaches = Happening::ReachesAgent {
                agent,
                link: self.agents[agent].link.number,
                message: Arc::clone(message),
            };
            self.agenda.plan(time, reaches);
        }
    }

    /// A peer's event: this server looks when it names something new, and shows it to its own agents.
    pub(super) fn reaches_server(&mut self, server: usize, incarnation: u64, message: &Arc<Message>) {
        if !self.is_running_server(server, incarnation) {
            return;
        }
        if self.servers[server].heard(message) {
            self.look(server, Cause::Peer);
        }
        self.stream(server, message);
    }

    pub(super) fn reaches_agent(&mut self, agent: usize, link: u64, message: Arc<Message>) {
        if self.agents[agent].link.number != link || self.agents[agent].life.is_none() {
            return;
        }
        let taken = self.as_taken(&message);
        let addressed = self.agents[agent].is_addressed(&taken);
        let now = self.agenda.now();
        let Some(life) = &mut self.agents[agent].life else {
            return;
        };
        life.heard = now;
        let (before, fetch) = (life.reconciler.wake_at(), life.fetch);
        let due = before.is_some_and(|before| before <= life.age(now));
        if addressed {
            self.stir(agent, Input::Heard(taken));
        }
        let Some(life) = &self.agents[agent].life else { return };
        let stirred = !due && (life.fetch != fetch || life.reconciler.wake_at() != before);
        self.tell(Fact::Heard {
            agent,
            message,
            stirred,
        });
    }

    /// The message as a broken agent takes it.
    fn as_taken(&mut self, message: &Message) -> Message {
        let mut taken = message.clone();
        match self.broken {
            Some(Broken::NoMemory) => {
                let fresh = format!("{}-{}", message.event.id, self.rng.u64(..));
                taken.event.id = EventId::received(&fresh);
            }
            Some(Broken::IgnoresScope) => {
                if let Some(notice) = &mut taken.notice {
                    notice.affects = Affects::All;
                }
            }
            _ => {}
        }
        taken
    }

    /// The agent's connection is gone.
    pub(super) fn disconnect(&mut self, agent: usize) {
        let link = &mut self.agents[agent].link;
        link.number += 1;
        if link.way.take().is_some() {
            self.stir(agent, Input::Lost);
        }
    }

    /// The agent tries to hear again, in the way that is open to it.
    pub(super) fn reconnect(&mut self, agent: usize) {
        let link = self.agents[agent].link.number;
        if !self.scenario.embedded {
            let time = self.between(10, 5_000);
            self.agenda.plan(time, Happening::Connects { agent, link });
        }
        let patience = if self.scenario.embedded { 10 } else { PATIENCE };
        self.agenda.plan(patience, Happening::OpensStream { agent, link });
    }

    pub(super) fn connects(&mut self, agent: usize, link: u64) {
        let open = !self.wounds.contains(&Wound::AgentBus(agent));
        if open && self.agents[agent].link.number == link && self.agents[agent].life.is_some() {
            self.is_connected(agent, Way::Broker);
        }
    }

    pub(super) fn opens_stream(&mut self, agent: usize, link: u64) {
        if self.agents[agent].link.number != link || self.agents[agent].link.way.is_some() {
            return;
        }
        let server = self.rng.usize(..self.servers.len());
        let reachable = !self.wounds.contains(&Wound::Http(agent, server));
        if reachable && self.servers[server].life.is_some() && self.agents[agent].life.is_some() {
            self.is_connected(agent, Way::Stream(server));
        } else {
            self.agenda.plan(STREAM_PAUSE, Happening::OpensStream { agent, link });
        }
    }

    fn is_connected(&mut self, agent: usize, way: Way) {
        self.agents[agent].link.way = Some(way);
        self.stir(agent, Input::Connected);
        self.send_reports(agent);
    }
}
