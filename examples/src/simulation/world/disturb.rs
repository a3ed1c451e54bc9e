//! What goes wrong: pushes of every kind, connections that are cut, processes that end, clocks and disks.

use bus_agent::reconcile::Input;
use config_server::store::Cause;

use super::{Happening, World};
use crate::simulation::agent::Way;
use crate::simulation::fact::Fact;
use crate::simulation::remote::{BRANCHES, Push};
use crate::simulation::scenario::one_of;

/// Something that stays wrong until it is healed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wound {
    /// The server does not reach the remote.
    Git(usize),
    /// The server does not reach the broker.
    ServerBus(usize),
    /// The agent does not reach the broker.
    AgentBus(usize),
    /// The agent does not reach the server.
    Http(usize, usize),
    /// The server's process is not there.
    Server(usize),
    /// The agent's process is not there.
    Agent(usize),
    /// The server's disk is full.
    Disk(usize),
}

/// What may happen at one disturbance.
#[derive(Debug, Clone, Copy)]
enum Disturbance {
    Push(Push),
    Webhook,
    Operator,
    Ask,
    Broker,
    Wound(fn(usize, usize) -> Wound),
    Clock,
}

/// How often each happens, by naming it as often.
const DISTURBANCES: [Disturbance; 27] = [
    Disturbance::Push(Push::Change),
    Disturbance::Push(Push::Change),
    Disturbance::Push(Push::Change),
    Disturbance::Push(Push::Change),
    Disturbance::Push(Push::Change),
    Disturbance::Push(Push::Break),
    Disturbance::Push(Push::Mend),
    Disturbance::Push(Push::Mend),
    Disturbance::Push(Push::Revert),
    Disturbance::Push(Push::Reset),
    Disturbance::Push(Push::Force),
    Disturbance::Webhook,
    Disturbance::Webhook,
    Disturbance::Webhook,
    Disturbance::Webhook,
    Disturbance::Operator,
    Disturbance::Ask,
    Disturbance::Broker,
    Disturbance::Wound(|_, server| Wound::Git(server)),
    Disturbance::Wound(|_, server| Wound::ServerBus(server)),
    Disturbance::Wound(|agent, _| Wound::AgentBus(agent)),
    Disturbance::Wound(Wound::Http),
    Disturbance::Wound(Wound::Http),
    Disturbance::Wound(|_, server| Wound::Server(server)),
    Disturbance::Wound(|agent, _| Wound::Agent(agent)),
    Disturbance::Wound(|_, server| Wound::Disk(server)),
    Disturbance::Clock,
];

impl World {
    pub(super) fn disturb(&mut self) {
        if self.calm {
            return;
        }
        let (agent, server) = (
            self.rng.usize(..self.agents.len()),
            self.rng.usize(..self.servers.len()),
        );
        match *one_of(&mut self.rng, &DISTURBANCES) {
            Disturbance::Push(push) => self.push(push, server),
            Disturbance::Webhook => {
                self.happened("webhook", format!("webhook at server {server}"));
                self.look(server, Cause::Webhook);
            }
            Disturbance::Operator => {
                self.happened("operator's event", format!("operator at server {server}"));
                self.announce(server);
            }
            Disturbance::Ask => {
                self.happened("look asked for", format!("agent {agent} is asked to look"));
                self.stir(agent, Input::Asked);
            }
            Disturbance::Broker => self.restart_broker(),
            Disturbance::Wound(wound) => self.wound(wound(agent, server)),
            Disturbance::Clock => {
                let skew = self.rng.i64(-3_600_000..3_600_000);
                self.servers[server].skew = skew;
                self.happened("clock set", format!("clock of server {server} is off by {skew} ms"));
            }
        }
        let pause = self.between(1, self.scenario.pause * 2);
        self.agenda.plan(pause, Happening::Disturb);
    }

    fn push(&mut self, push: Push, server: usize) {
        // The first branch is followed by more.
        let branch = self.rng.usize(..=BRANCHES.len()) % BRANCHES.len();
        self.remote.push(branch, push, &mut self.rng);
        let kind = match push {
            Push::Change => "push",
            Push::Break => "push of a broken file",
            Push::Mend => "push of a mended file",
            Push::Revert => "revert",
            Push::Reset => "reset",
            Push::Force => "force push",
        };
        let place = self.remote.head(branch);
        let (name, commit) = (BRANCHES[branch], place.commit);
        let tree = self.remote.tree(commit);
        let what = format!("{kind}: {name} is at c{commit} (place {}), {tree:?}", place.position);
        self.happened(kind, what);
        if self.rng.bool() {
            self.look(server, Cause::Webhook);
        }
    }

    fn restart_broker(&mut self) {
        self.happened("broker restarted", "the broker restarts".to_owned());
        for server in 0..self.servers.len() {
            self.wound_quietly(Wound::ServerBus(server), 10_000);
        }
        for agent in 0..self.agents.len() {
            self.wound_quietly(Wound::AgentBus(agent), 10_000);
        }
    }

    fn wound(&mut self, wound: Wound) {
        let kind = match wound {
            Wound::Git(_) => "remote cut off",
            Wound::ServerBus(_) => "server cut off the broker",
            Wound::AgentBus(_) => "agent cut off the broker",
            Wound::Http(..) => "agent cut off a server",
            Wound::Server(_) => "server killed",
            Wound::Agent(_) => "agent killed",
            Wound::Disk(_) => "disk full",
        };
        self.happened(kind, format!("{wound:?}"));
        let longest = *one_of(&mut self.rng, &[500, 10_000, 90_000]);
        self.wound_quietly(wound, longest);
    }

    fn wound_quietly(&mut self, wound: Wound, longest: u64) {
        if self.wounds.insert(wound) {
            let time = self.between(1, longest);
            self.agenda.plan(time, Happening::Heal(wound));
            self.hurt(wound);
        }
    }

    fn hurt(&mut self, wound: Wound) {
        match wound {
            Wound::Git(_) => {}
            Wound::ServerBus(server) => self.server_links[server] += 1,
            Wound::AgentBus(agent) => {
                if self.agents[agent].link.way == Some(Way::Broker) {
                    self.disconnect(agent);
                    self.reconnect(agent);
                }
            }
            Wound::Http(agent, server) => self.stream_breaks(agent, server),
            Wound::Server(server) => {
                self.servers[server].crash();
                self.server_links[server] += 1;
                for agent in 0..self.agents.len() {
                    self.stream_breaks(agent, server);
                }
            }
            Wound::Agent(agent) => {
                self.agents[agent].crash();
                self.tell(Fact::Ended { agent });
            }
            Wound::Disk(server) => self.servers[server].disk_full = true,
        }
    }

    fn stream_breaks(&mut self, agent: usize, server: usize) {
        if self.agents[agent].link.way == Some(Way::Stream(server)) {
            self.disconnect(agent);
            self.reconnect(agent);
        }
    }

    /// The agent's process ends, and begins again some time later.
    pub(super) fn kill_agent(&mut self, agent: usize, what: &'static str) {
        self.happened(what, format!("{what}: agent {agent}"));
        self.wound_quietly(Wound::Agent(agent), 10_000);
    }

    pub(super) fn heal(&mut self, wound: Wound) {
        if !self.wounds.remove(&wound) {
            return;
        }
        self.tell(Fact::Disturbed(format!("healed: {wound:?}")));
        match wound {
            Wound::Git(_) | Wound::Http(..) => {}
            Wound::ServerBus(server) => self.is_back(server),
            Wound::AgentBus(agent) => {
                if self.agents[agent].life.is_some() && self.agents[agent].link.way != Some(Way::Broker) {
                    self.reconnect(agent);
                }
            }
            Wound::Server(server) => self.start_server(server),
            Wound::Agent(agent) => self.start_agent(agent),
            Wound::Disk(server) => self.servers[server].disk_full = false,
        }
    }

    /// The server's connection to the broker stands again: it may have missed something.
    fn is_back(&mut self, server: usize) {
        if let Some(life) = &mut self.servers[server].life {
            life.plan.reconnected();
            self.look(server, Cause::Peer);
            self.publish(server);
        }
    }

    /// From here on nothing goes wrong any more.
    pub(super) fn calm_down(&mut self) {
        self.tell(Fact::Disturbed("from here on all is well".to_owned()));
        self.calm = true;
        for wound in self.wounds.clone() {
            self.heal(wound);
        }
    }

    fn happened(&mut self, kind: &'static str, what: String) {
        *self.tally.faults.entry(kind).or_default() += 1;
        self.tell(Fact::Disturbed(what));
    }
}
