//! An agent: its reconciler is the product's own; its application, disk and connections are played.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bus::{Concern, Subscriber};
use bus_agent::Follows;
use bus_agent::reconcile::{Action, Ended, Input, Pace, Reconciler};
use contract::{AppName, BusId, Message, Report};

use super::agenda::Millis;
use super::fact::Answer;
use super::remote::{APPLICATIONS, Application};

/// Reports that wait to be sent; the oldest give way.
const REPORTS: usize = 16;

/// What an agent is, whether or not its process runs.
#[derive(Debug)]
pub struct Agent {
    pub application: usize,
    pub follows: Follows,
    /// Which process it is.
    pub incarnation: u64,
    pub life: Option<Life>,
    /// What was written down as last known good.
    pub disk: Option<Arc<Answer>>,
    pub link: Link,
    subscriber: Subscriber,
}

/// How the bus is heard.
#[derive(Debug, Default)]
pub struct Link {
    /// The broker, or the stream of this server.
    pub way: Option<Way>,
    /// Counts the connections: what was sent over an earlier one is gone.
    pub number: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Broker,
    Stream(usize),
}

/// One process.
#[derive(Debug)]
pub struct Life {
    pub reconciler: Reconciler,
    /// What the application sees.
    pub live: Option<Arc<Answer>>,
    /// What it saw before.
    pub previous: Option<Arc<Answer>>,
    /// The configurations that may be made live.
    pub offers: VecDeque<Arc<Answer>>,
    /// What the last answer that named what is live said of it.
    pub confirmed: Option<Arc<Answer>>,
    pub applying: Option<Arc<Answer>>,
    /// What is live came from a server, or a server has it.
    pub of_server: bool,
    /// The digest the application refused last.
    pub refused: Option<String>,
    pub fell_back: bool,
    /// Counts the fetches: an answer to an earlier one does not count.
    pub fetch: u64,
    /// The server that answered last.
    pub server: usize,
    pub reports: VecDeque<Arc<Report>>,
    /// When it is to be woken.
    pub wake: Option<Millis>,
    /// When it heard something last.
    pub heard: Millis,
    born: Millis,
}

impl Agent {
    /// An agent of an application that was never started.
    #[must_use]
    pub fn new(number: usize, application: usize) -> Self {
        let kind = &APPLICATIONS[application];
        let name: AppName = kind.name.parse().expect("a name");
        let profiles: Vec<_> = kind
            .profiles
            .iter()
            .map(|name| name.parse().expect("a profile"))
            .collect();
        let label = kind.label.map(|label| label.parse().expect("a label"));
        let follows = Follows {
            bus_id: bus_id(kind, number),
            ..Follows::new(name.clone(), profiles.clone(), label.clone())
        };
        let subscriber = Subscriber {
            bus_id: follows.bus_id.clone(),
            applications: vec![name],
            profiles,
            label,
        };
        Self {
            application,
            follows,
            incarnation: 0,
            life: None,
            disk: None,
            link: Link::default(),
            subscriber,
        }
    }

    /// Begins a process.
    pub fn start(&mut self, now: Millis, seed: u64, server: usize) {
        self.incarnation += 1;
        self.life = Some(Life {
            reconciler: Reconciler::new(self.follows.clone(), Pace::default(), seed),
            live: None,
            previous: None,
            offers: VecDeque::new(),
            confirmed: None,
            applying: None,
            of_server: false,
            refused: None,
            fell_back: false,
            fetch: 0,
            server,
            reports: VecDeque::new(),
            wake: None,
            heard: now,
            born: now,
        });
    }

    /// Ends the process without warning.
    pub fn crash(&mut self) {
        self.life = None;
        self.incarnation += 1;
        self.link.number += 1;
        self.link.way = None;
    }

    /// Whether the bus hands `message` to this agent.
    #[must_use]
    pub fn is_addressed(&self, message: &Message) -> bool {
        self.subscriber.concern(message) == Concern::Addressed
    }

    /// What it says of itself when a round has ended.
    #[must_use]
    pub fn report(&self, ended: Ended) -> Option<Report> {
        let live = self.life.as_ref()?.reconciler.live();
        Some(Report {
            bus_id: self.follows.bus_id.clone(),
            application: self.follows.application.clone(),
            profiles: self.follows.profiles.clone(),
            label: self.follows.label.clone(),
            events: ended.events,
            commit: live.and_then(|live| live.commit()),
            digest: live.map(|live| live.digest.clone()),
            outcome: ended.outcome,
            reason: ended.reason,
            millis: u64::try_from(ended.took.as_millis()).unwrap_or(u64::MAX),
            asked_ago: None,
        })
    }
}

impl Life {
    /// Feeds the reconciler.
    pub fn step(&mut self, now: Millis, input: Input) -> Vec<Action> {
        self.reconciler.step(self.age(now), input)
    }

    /// How long the process has run.
    #[must_use]
    pub fn age(&self, now: Millis) -> Duration {
        Duration::from_millis(now - self.born)
    }

    /// When the reconciler wants to be woken, if that is not planned yet.
    pub fn plan_wake(&mut self, now: Millis) -> Option<Millis> {
        let due = self.reconciler.wake_at()?;
        let due = u64::try_from(due.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
        let at = self.born.saturating_add(due).max(now);
        (self.wake.replace(at) != Some(at)).then_some(at - now)
    }

    /// Keeps an answer until it is made live or overtaken.
    pub fn offer(&mut self, answer: Arc<Answer>) {
        self.offers.push_back(answer);
        if self.offers.len() > 2 {
            self.offers.pop_front();
        }
    }

    /// The newest offer of this digest.
    #[must_use]
    pub fn offered(&self, digest: &str) -> Option<Arc<Answer>> {
        let mut newest = self.offers.iter().rev();
        newest.find(|offer| offer.revision.digest == digest).cloned()
    }

    /// What is live, under the name the reconciler gives it now.
    pub fn rename(&mut self) -> Option<Arc<Answer>> {
        let (name, live) = (self.reconciler.live()?, self.live.as_ref()?);
        if live.revision != *name {
            let confirmed = self.confirmed.as_ref().unwrap_or(live);
            self.live = Some(Arc::new(Answer {
                revision: name.clone(),
                server: confirmed.server,
                position: confirmed.position,
                ..(**live).clone()
            }));
        }
        self.live.clone()
    }

    /// Puts a report into the queue.
    pub fn queue(&mut self, report: Arc<Report>) {
        self.reports.push_back(report);
        if self.reports.len() > REPORTS {
            self.reports.pop_front();
        }
    }
}

fn bus_id(application: &Application, number: usize) -> BusId {
    let profiles = application.profiles.join(",");
    let id = match application.profiles {
        [] => format!("{}:{number}:agent", application.name),
        _ => format!("{}:{profiles}:{number}:agent", application.name),
    };
    id.parse().expect("a bus id")
}
