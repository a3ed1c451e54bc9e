//! The world of one run: everybody in it, and what happens next.
//!
//! - [`disturb`]: what goes wrong
//! - [`servers`], [`bus`], [`agents`]: what everybody does about what happens to them
//!
//! Nothing here decides what the product decides; it carries out, loses, delays and repeats.

mod agents;
mod bus;
mod disturb;
mod servers;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bus_agent::reconcile::{Ask, Looked};
use contract::{Message, Report};
use tokio::time::Instant;

use super::agenda::{Agenda, Millis};
use super::agent::Agent;
use super::broken::Broken;
use super::fact::{Fact, clock};
use super::promises::{self, Checked, Scene, Violation};
use super::remote::{APPLICATIONS, Refs, Remote};
use super::scenario::Scenario;
use super::server::{Reply, Server};

/// After this time without faults everybody has arrived: the servers' tick, the agents' interval twice
/// (once to learn that what is wanted is gone for good) and the longest pause after a failure.
const CALM: Millis = 190_000;

/// What can happen. Whoever has been started anew meanwhile is not concerned.
#[derive(Debug)]
enum Happening {
    Disturb,
    Heal(disturb::Wound),
    Calm,

    Tick {
        server: usize,
        incarnation: u64,
    },
    MayLook {
        server: usize,
        incarnation: u64,
    },
    LookEnds {
        server: usize,
        incarnation: u64,
        refs: Option<Refs>,
    },
    Publish {
        server: usize,
        incarnation: u64,
        turn: u64,
    },

    ReachesBroker(bus::Letter),
    Settles {
        letter: bus::Letter,
        taken: bool,
    },
    ReachesServer {
        server: usize,
        incarnation: u64,
        message: Arc<Message>,
    },
    ReachesAgent {
        agent: usize,
        link: u64,
        message: Arc<Message>,
    },
    Connects {
        agent: usize,
        link: u64,
    },
    OpensStream {
        agent: usize,
        link: u64,
    },
    ReportReaches {
        server: usize,
        report: Arc<Report>,
    },

    Wake {
        agent: usize,
        incarnation: u64,
    },
    Asks(Request),
    Replied {
        request: Request,
        reply: Reply,
    },
    GivesUp(Request),
    Applied {
        agent: usize,
        incarnation: u64,
    },
}

/// One request of an agent.
#[derive(Debug, Clone)]
pub struct Request {
    pub agent: usize,
    pub ask: Ask,
    incarnation: u64,
    fetch: u64,
    server: usize,
    /// How many servers were asked before.
    tried: usize,
    /// One of them is behind.
    behind: bool,
}

/// What a run amounts to.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Tally {
    pub events: u64,
    pub time: Millis,
    pub faults: BTreeMap<&'static str, u64>,
    pub violation: Option<Violation>,
    pub trace: Vec<String>,
}

/// Everybody in one run.
#[derive(Debug)]
pub struct World {
    scenario: Scenario,
    broken: Option<Broken>,
    rng: fastrand::Rng,
    remote: Remote,
    agenda: Agenda<Happening>,
    servers: Vec<Server>,
    agents: Vec<Agent>,
    cast: Vec<usize>,
    wounds: BTreeSet<disturb::Wound>,
    /// Counts the connections of each server to the broker.
    server_links: Vec<u64>,
    /// Counts the turns of each publisher: only the newest plan to look again counts.
    turns: Vec<u64>,
    calm: bool,
    promises: Vec<Checked>,
    tally: Tally,
    traced: bool,
}

impl World {
    /// The world of `seed`, before anything has happened.
    #[must_use]
    pub fn new(seed: u64, broken: Option<Broken>, traced: bool) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut scenario = Scenario::draw(&mut rng);
        if broken == Some(Broken::OverrulesVeto) {
            scenario.refused = 30;
        }
        let began = Instant::now();
        let cast: Vec<usize> = (0..scenario.agents).map(|_| rng.usize(..APPLICATIONS.len())).collect();
        let agents = cast.iter().enumerate().map(|(number, kind)| Agent::new(number, *kind));
        Self {
            broken,
            remote: Remote::new(),
            agenda: Agenda::new(),
            servers: (0..scenario.servers).map(|number| Server::new(number, began)).collect(),
            agents: agents.collect(),
            cast,
            wounds: BTreeSet::new(),
            server_links: vec![0; scenario.servers],
            turns: vec![0; scenario.servers],
            calm: false,
            promises: promises::all(),
            tally: Tally::default(),
            traced,
            scenario,
            rng,
        }
    }

    /// Plays until everything has been calm for long, or a promise is broken.
    #[must_use]
    pub fn play(mut self) -> Tally {
        for server in 0..self.servers.len() {
            self.start_server(server);
        }
        for agent in 0..self.agents.len() {
            self.start_agent(agent);
        }
        self.agenda.plan(self.scenario.pause, Happening::Disturb);
        self.agenda.plan(self.scenario.storm, Happening::Calm);
        let end = self.scenario.storm + CALM;
        while self.tally.violation.is_none()
            && let Some(happening) = self.agenda.next_before(end)
        {
            self.tally.events += 1;
            for server in &self.servers {
                server.tell_time(self.agenda.now());
            }
            self.happen(happening);
        }
        self.settle();
        self.tally.time = self.agenda.now();
        self.tally
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Disturb => self.disturb(),
            Happening::Heal(wound) => self.heal(wound),
            Happening::Calm => self.calm_down(),
            Happening::Tick { server, incarnation } => self.tick(server, incarnation),
            Happening::MayLook { server, incarnation } => self.may_look(server, incarnation),
            Happening::LookEnds {
                server,
                incarnation,
                refs,
            } => self.look_ends(server, incarnation, refs),
            Happening::Publish {
                server,
                incarnation,
                turn,
            } => self.publish_again(server, incarnation, turn),
            Happening::ReachesBroker(letter) => self.reaches_broker(letter),
            Happening::Settles { letter, taken } => self.settles(&letter, taken),
            Happening::ReachesServer {
                server,
                incarnation,
                message,
            } => self.reaches_server(server, incarnation, &message),
            Happening::ReachesAgent { agent, link, message } => self.reaches_agent(agent, link, message),
            Happening::Connects { agent, link } => self.connects(agent, link),
            Happening::OpensStream { agent, link } => self.opens_stream(agent, link),
            Happening::ReportReaches { server, report } => self.servers[server].hear_report(&report, self.agenda.now()),
            Happening::Wake { agent, incarnation } => self.wake(agent, incarnation),
            Happening::Asks(request) => self.asks(request),
            Happening::Replied { request, reply } => self.replied(request, reply),
            Happening::GivesUp(request) => self.fails(request, "no answer in time"),
            Happening::Applied { agent, incarnation } => self.applied(agent, incarnation),
        }
    }

    /// Tells the promises what happened, and the trace.
    #[expect(clippy::needless_pass_by_value, reason = "a fact is made to be told")]
    fn tell(&mut self, fact: Fact) {
        if self.tally.violation.is_some() {
            return;
        }
        if self.traced && !matches!(fact, Fact::Waiting { .. }) {
            let line = format!("{}  {fact}", clock(self.agenda.now()));
            self.tally.trace.push(line);
        }
        let scene = Scene {
            now: self.agenda.now(),
            remote: &self.remote,
            cast: &self.cast,
        };
        let broken = self
            .promises
            .iter_mut()
            .find_map(|promise| promise.see(&scene, &fact).err());
        self.tally.violation = broken;
    }

    /// Everything has been calm for long: how does everybody stand?
    fn settle(&mut self) {
        for agent in 0..self.agents.len() {
            let served = self.served(agent);
            let life = self.agents[agent].life.as_ref();
            self.tell(Fact::Settled {
                agent,
                live: life.and_then(|life| life.live.clone()),
                refused: life.and_then(|life| life.refused.clone()),
                served,
            });
        }
        for server in 0..self.servers.len() {
            let statuses = self.servers[server].agents();
            for status in statuses {
                let status = Box::new(status);
                self.tell(Fact::Told { server, status });
            }
            let waiting = self.servers[server].outbox().len();
            self.tell(Fact::Left { server, waiting });
        }
    }

    /// What the servers would answer the agent now.
    fn served(&mut self, agent: usize) -> Vec<Arc<super::fact::Answer>> {
        let (application, remote) = (self.cast[agent], &self.remote);
        let open = Ask {
            at_least: Vec::new(),
            etag: None,
        };
        let replies = self
            .servers
            .iter_mut()
            .map(|server| server.answer(application, &open, false, remote, None));
        replies
            .filter_map(|reply| match reply {
                Reply::Answer(answer) => Some(answer),
                _ => None,
            })
            .collect()
    }

    /// Whether something happens that happens `percent` times in a hundred.
    fn chance(&mut self, percent: u32) -> bool {
        self.rng.u32(..100) < percent
    }

    /// How long something takes.
    fn between(&mut self, least: Millis, most: Millis) -> Millis {
        self.rng.u64(least..=most.max(least))
    }

    fn is_running_server(&self, server: usize, incarnation: u64) -> bool {
        let server = &self.servers[server];
        server.life.is_some() && server.incarnation == incarnation
    }

    fn is_running_agent(&self, agent: usize, incarnation: u64) -> bool {
        let agent = &self.agents[agent];
        agent.life.is_some() && agent.incarnation == incarnation
    }
}

/// Why a fetch of an agent ended without an answer.
fn failure(reason: &str, behind: bool) -> Looked {
    Looked::Failed(bus_agent::reconcile::Failed {
        reason: reason.to_owned(),
        retry_after: behind.then(|| std::time::Duration::from_secs(1)),
        behind,
    })
}
