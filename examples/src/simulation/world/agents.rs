//! What an agent does: carries out what its reconciler says.

use std::sync::Arc;

use bus_agent::Veto;
use bus_agent::reconcile::{Action, Arrived, Ask, Ended, Input, Looked};
use contract::{Outcome, Report};

use super::disturb::Wound;
use super::{Happening, Request, World, failure};
use crate::simulation::agenda::Millis;
use crate::simulation::agent::Way;
use crate::simulation::broken::Broken;
use crate::simulation::fact::{Answer, Fact};
use crate::simulation::server::Reply;

/// How long an agent waits for an answer.
const FETCH_TIMEOUT: Millis = 30_000;
/// How long it looks by itself after hearing something, when it is broken so.
const ATTENTION: Millis = 20_000;
/// Processes that end, of a hundred, between an apply and writing it down.
const UNWRITTEN: u32 = 2;

impl World {
    pub(super) fn start_agent(&mut self, agent: usize) {
        let (seed, server) = (self.rng.u64(..), self.rng.usize(..self.servers.len()));
        self.agents[agent].start(self.agenda.now(), seed, server);
        self.tell(Fact::Began { agent });
        self.reconnect(agent);
        self.stir(agent, Input::Due);
    }

    pub(super) fn wake(&mut self, agent: usize, incarnation: u64) {
        if !self.is_running_agent(agent, incarnation) {
            return;
        }
        let now = self.agenda.now();
        let Some(life) = self.agents[agent].life.as_mut().filter(|life| life.wake == Some(now)) else {
            return;
        };
        life.wake = None;
        let attentive = life.live.is_none() || now - life.heard < ATTENTION || life.reconciler.failures() > 0;
        if self.broken != Some(Broken::NoTimer) || attentive {
            self.stir(agent, Input::Due);
        }
    }

    /// Feeds the reconciler, and does what it says.
    pub(super) fn stir(&mut self, agent: usize, input: Input) {
        let now = self.agenda.now();
        let Some(life) = &mut self.agents[agent].life else {
            return;
        };
        for action in life.step(now, input) {
            match action {
                Action::Fetch(ask) => self.fetch(agent, ask),
                Action::Apply(digest) => self.apply(agent, &digest),
                Action::Persist => self.persist(agent),
                Action::Report(ended) => self.report(agent, ended),
                Action::Pin(_) | Action::Shutdown { .. } => {}
            }
        }
        let incarnation = self.agents[agent].incarnation;
        let Some(life) = &mut self.agents[agent].life else {
            return;
        };
        if let Some(time) = life.plan_wake(now) {
            self.agenda.plan(time, Happening::Wake { agent, incarnation });
        }
    }

    fn fetch(&mut self, agent: usize, ask: Ask) {
        let any = self.rng.usize(..self.servers.len());
        let incarnation = self.agents[agent].incarnation;
        let Some(life) = &mut self.agents[agent].life else {
            return;
        };
        life.fetch += 1;
        let request = Request {
            agent,
            incarnation,
            ask,
            fetch: life.fetch,
            server: if self.scenario.balanced { any } else { life.server },
            tried: 0,
            behind: false,
        };
        self.request(request);
    }

    fn request(&mut self, request: Request) {
        let cut = self.wounds.contains(&Wound::Http(request.agent, request.server));
        let time = self.between(1, 100);
        if cut {
            self.agenda.plan(time, Happening::GivesUp(request));
        } else {
            self.agenda.plan(FETCH_TIMEOUT, Happening::GivesUp(request.clone()));
            self.agenda.plan(time, Happening::Asks(request));
        }
    }

    pub(super) fn asks(&mut self, request: Request) {
        if self.servers[request.server].life.is_none() {
            return self.fails(request, "the server is not there");
        }
        self.answer(request, false);
    }

    /// Answers out of what is here; one who asks for more waits for a look, unless there was one.
    pub(super) fn answer(&mut self, request: Request, looked: bool) {
        let Request { agent, server, .. } = request;
        let reply = self.servers[server].answer(self.cast[agent], &request.ask, looked, &self.remote, self.broken);
        let written = self.servers[server].take_written();
        self.wrote(server, &written);
        match &reply {
            Reply::Behind if !looked => return self.look_for(request),
            Reply::Answer(answer) => self.tell(Fact::Answered {
                server,
                agent,
                ask: request.ask.clone(),
                answer: Arc::clone(answer),
                unchanged: is_known(&request.ask, answer),
            }),
            _ => {}
        }
        if !self.wounds.contains(&Wound::Http(agent, server)) {
            let time = self.between(1, 100);
            self.agenda.plan(time, Happening::Replied { request, reply });
        }
    }

    fn look_for(&mut self, request: Request) {
        let server = request.server;
        if let Some(life) = &mut self.servers[server].life {
            life.rounds.want(request);
            self.start_look(server);
        }
    }

    pub(super) fn replied(&mut self, mut request: Request, reply: Reply) {
        match reply {
            Reply::Answer(answer) => self.is_answered(&request, &answer),
            Reply::Behind => {
                request.behind = true;
                self.fails(request, "the server is behind");
            }
            Reply::Refused => self.fails(request, "a file is broken"),
            Reply::Unready => self.fails(request, "the server knows nothing yet"),
        }
    }

    fn is_answered(&mut self, request: &Request, answer: &Arc<Answer>) {
        let salt = self.rng.u32(..);
        if !self.is_current(request) {
            return;
        }
        let Some(life) = &mut self.agents[request.agent].life else {
            return;
        };
        life.fetch += 1;
        life.server = request.server;
        let fires = self.broken == Some(Broken::FiresOnUnchanged);
        let looked = if is_known(&request.ask, answer) && !fires {
            life.confirmed = Some(Arc::clone(answer));
            life.of_server = true;
            Looked::NotModified {
                version: answer.revision.version.clone(),
                moved: answer.revision.moved.clone(),
                label: Some(answer.label.clone()),
            }
        } else {
            let mut answer = Answer::clone(answer);
            if fires {
                answer.revision.digest = format!("{}-{salt}", answer.revision.digest);
            }
            let answer = Arc::new(answer);
            life.confirmed = Some(Arc::clone(&answer));
            life.offer(Arc::clone(&answer));
            Looked::Changed(Arrived {
                revision: answer.revision.clone(),
                label: Some(answer.label.clone()),
                stale: answer.stale,
            })
        };
        self.stir(request.agent, Input::Looked(looked));
    }

    /// Whether the agent still waits for this request.
    fn is_current(&self, request: &Request) -> bool {
        let agent = &self.agents[request.agent];
        let fetch = agent.life.as_ref().map(|life| life.fetch);
        agent.incarnation == request.incarnation && fetch == Some(request.fetch)
    }

    pub(super) fn fails(&mut self, mut request: Request, reason: &'static str) {
        if !self.is_current(&request) {
            return;
        }
        let agent = request.agent;
        self.tell(Fact::Failed { agent, reason });
        let Some(life) = &mut self.agents[agent].life else {
            return;
        };
        life.fetch += 1;
        request.tried += 1;
        if !self.scenario.balanced && request.tried < self.servers.len() {
            request.server = (request.server + 1) % self.servers.len();
            request.fetch = life.fetch;
            return self.request(request);
        }
        self.stir(agent, Input::Looked(failure(reason, request.behind)));
        self.fall_back(agent);
    }

    /// A fresh process without an answer starts from what was remembered.
    fn fall_back(&mut self, agent: usize) {
        let forgets = self.broken == Some(Broken::ForgetsLastKnownGood);
        let found = self.agents[agent].disk.clone().filter(|_| !forgets);
        let Some(life) = &mut self.agents[agent].life else {
            return;
        };
        if life.live.is_some() || std::mem::replace(&mut life.fell_back, true) {
            return;
        }
        if let Some(found) = &found {
            life.offer(Arc::clone(found));
        }
        let input = found.as_ref().map(|found| Input::Local(found.revision.clone()));
        self.tell(Fact::FellBack { agent, found });
        if let Some(input) = input {
            self.stir(agent, input);
        }
    }

    fn apply(&mut self, agent: usize, digest: &str) {
        let overtaken = self.broken == Some(Broken::OlderAnswer) && self.chance(40);
        let time = self.between(1, 300);
        let incarnation = self.agents[agent].incarnation;
        let Some(life) = &mut self.agents[agent].life else {
            return;
        };
        let offered = life.offered(digest).expect("what is to be applied was offered");
        let older = life.previous.clone().filter(|_| overtaken);
        let answer = older.unwrap_or_else(|| Arc::clone(&offered));
        life.applying = Some(Arc::clone(&answer));
        self.tell(Fact::Offered { agent, answer });
        self.agenda.plan(time, Happening::Applied { agent, incarnation });
        if self.broken == Some(Broken::ReportsBeforeApply) {
            self.report_early(agent, &offered);
        }
    }

    pub(super) fn applied(&mut self, agent: usize, incarnation: u64) {
        if !self.is_running_agent(agent, incarnation) {
            return;
        }
        let (refused, passes) = (self.chance(self.scenario.refused) && !self.calm, self.rng.bool());
        let overruled = self.broken == Some(Broken::OverrulesVeto);
        let Some(life) = &mut self.agents[agent].life else {
            return;
        };
        let answer = life.applying.take().expect("what ends has begun");
        life.offers.clear();
        if refused {
            let veto = if passes {
                Veto::failed("not now")
            } else {
                Veto::refused("out of range")
            };
            life.refused = (!passes).then(|| answer.revision.digest.clone());
            self.tell(Fact::Refused {
                agent,
                answer: Arc::clone(&answer),
            });
            if overruled {
                self.is_live(agent, &answer);
            }
            return self.stir(agent, Input::Applied(Err(veto)));
        }
        self.is_live(agent, &answer);
        if !self.calm && self.chance(UNWRITTEN) {
            return self.kill_agent(agent, "agent killed before it could write");
        }
        self.stir(agent, Input::Applied(Ok(())));
    }

    fn is_live(&mut self, agent: usize, answer: &Arc<Answer>) {
        let remembered = self.agents[agent]
            .disk
            .as_ref()
            .is_some_and(|disk| Arc::ptr_eq(disk, answer));
        let Some(life) = &mut self.agents[agent].life else {
            return;
        };
        life.of_server = !remembered;
        let before = life.live.replace(Arc::clone(answer));
        life.previous.clone_from(&before);
        let answer = Arc::clone(answer);
        self.tell(Fact::Live { agent, answer, before });
    }

    fn persist(&mut self, agent: usize) {
        let Some(life) = &mut self.agents[agent].life else {
            return;
        };
        let (live, of_server) = (life.rename(), life.of_server);
        let Some(answer) = live.filter(|_| of_server) else {
            return;
        };
        if self.broken != Some(Broken::NeverRemembers) {
            self.agents[agent].disk = Some(Arc::clone(&answer));
            self.tell(Fact::Remembered { agent, answer });
        }
    }

    fn report(&mut self, agent: usize, ended: Ended) {
        if let Some(report) = self.agents[agent].report(ended) {
            self.says(agent, report);
        }
    }

    fn report_early(&mut self, agent: usize, offered: &Answer) {
        let ended = Ended {
            events: Vec::new(),
            outcome: Outcome::Applied,
            reason: None,
            took: std::time::Duration::ZERO,
            report_in: std::time::Duration::ZERO,
        };
        if let Some(report) = self.agents[agent].report(ended) {
            let (commit, digest) = (offered.revision.commit(), Some(offered.revision.digest.clone()));
            self.says(
                agent,
                Report {
                    commit,
                    digest,
                    ..report
                },
            );
        }
    }

    fn says(&mut self, agent: usize, report: Report) {
        let report = Arc::new(report);
        let Some(life) = &mut self.agents[agent].life else {
            return;
        };
        life.queue(Arc::clone(&report));
        let live = life.live.clone();
        self.tell(Fact::Reported { agent, report, live });
        self.send_reports(agent);
    }

    /// Sends what waits, when there is a way.
    pub(super) fn send_reports(&mut self, agent: usize) {
        let Some(way) = self.agents[agent].link.way else { return };
        let Some(life) = &mut self.agents[agent].life else {
            return;
        };
        for report in std::mem::take(&mut life.reports) {
            for server in 0..self.servers.len() {
                let heard = way == Way::Broker || way == Way::Stream(server);
                if heard && !self.chance(self.scenario.lost) {
                    let (time, report) = (self.between(1, self.scenario.slowest), Arc::clone(&report));
                    self.agenda.plan(time, Happening::ReportReaches { server, report });
                }
            }
        }
    }
}

/// Whether the answer is what the agent has.
fn is_known(ask: &Ask, answer: &Answer) -> bool {
    ask.etag.is_some() && ask.etag == answer.revision.etag
}
