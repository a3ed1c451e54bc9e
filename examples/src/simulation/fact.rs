//! What is seen of a run: told to the promises, and written into a trace.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bus_agent::Revision;
use bus_agent::reconcile::Ask;
use contract::{AgentStatus, CommitId, EventId, Label, Message, MoveId, Report};

use super::remote::{Place, Values, number};

/// A configuration as a server answered it, or as an agent has it live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub revision: Revision,
    pub label: Label,
    pub values: Values,
    pub held: Option<CommitId>,
    pub stale: bool,
    /// The server, and the place of the branch it stood at. Nobody in the play can see them.
    pub server: usize,
    pub position: usize,
}

/// One thing that happened. Servers and agents are named by their numbers.
#[derive(Debug, Clone)]
pub enum Fact {
    /// Something outside went wrong, or right again.
    Disturbed(String),
    /// A head move was written down; `first` when nothing was known of the label before.
    Moved {
        server: usize,
        label: Label,
        moved: MoveId,
        first: bool,
        position: usize,
    },
    /// An operator's event was taken.
    Announced { server: usize, id: EventId },
    /// What stands in the outbox now.
    Waiting { server: usize, events: Vec<Arc<Message>> },
    /// An event leaves the server, which serves this place of the event's branch now.
    Sent {
        server: usize,
        message: Arc<Message>,
        serves: Option<Place>,
    },
    /// The confirm of an event reached the server.
    Confirmed { server: usize, message: Arc<Message> },
    /// A server answered an agent's application; its head stands at `position`, and `unchanged` tells
    /// that only the name of what the agent has was sent.
    Answered {
        server: usize,
        agent: usize,
        ask: Ask,
        answer: Arc<Answer>,
        unchanged: bool,
    },
    /// A server did not answer an agent.
    Failed { agent: usize, reason: &'static str },
    /// An agent's process begins.
    Began { agent: usize },
    /// An agent's process ends.
    Ended { agent: usize },
    /// The bus brought an event to an agent, which did something about it or not.
    Heard {
        agent: usize,
        message: Arc<Message>,
        stirred: bool,
    },
    /// No server answers a fresh process: it starts from what it finds.
    FellBack { agent: usize, found: Option<Arc<Answer>> },
    /// An application is asked to make an answer live.
    Offered { agent: usize, answer: Arc<Answer> },
    /// An application sees new values; `before` is what it saw.
    Live {
        agent: usize,
        answer: Arc<Answer>,
        before: Option<Arc<Answer>>,
    },
    /// An application refused values.
    Refused { agent: usize, answer: Arc<Answer> },
    /// What an agent has is written down.
    Remembered { agent: usize, answer: Arc<Answer> },
    /// An agent says what it has done while its application sees `live`.
    Reported {
        agent: usize,
        report: Arc<Report>,
        live: Option<Arc<Answer>>,
    },
    /// Nothing has gone wrong for long: what the application sees, and what the servers would answer it.
    Settled {
        agent: usize,
        live: Option<Arc<Answer>>,
        refused: Option<String>,
        served: Vec<Arc<Answer>>,
    },
    /// What a server says of an agent at the end.
    Told { server: usize, status: Box<AgentStatus> },
    /// What waits in an outbox at the end.
    Left { server: usize, waiting: usize },
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disturbed(what) => write!(f, "-- {what}"),
            Self::Moved {
                server,
                label,
                moved,
                first,
                position,
            } => {
                write!(
                    f,
                    "server {server} wrote down move {} of {label} to place {position}",
                    moved.sequence
                )?;
                if *first { f.write_str(" (first sight)") } else { Ok(()) }
            }
            Self::Announced { server, id } => write!(f, "server {server} took an operator's event {}", short(id)),
            Self::Waiting { server, events } => write!(f, "server {server} has {} in the outbox", events.len()),
            Self::Sent { server, message, .. } => write!(f, "server {server} sends {}", Shown(message)),
            Self::Confirmed { server, message } => write!(f, "server {server} has the confirm of {}", Shown(message)),
            Self::Answered {
                server,
                agent,
                ask,
                answer,
                unchanged,
            } => {
                let how = if *unchanged { "unchanged, " } else { "" };
                write!(f, "server {server} answers agent {agent}: {how}{answer}")?;
                for bound in &ask.at_least {
                    match &bound.commit {
                        Some(commit) => write!(f, ", asked for at least c{}", number(commit))?,
                        None => f.write_str(", asked for anything newer")?,
                    }
                }
                Ok(())
            }
            Self::Failed { agent, reason } => write!(f, "agent {agent} gets no answer: {reason}"),
            Self::Began { agent } => write!(f, "agent {agent} starts"),
            Self::Ended { agent } => write!(f, "agent {agent} ends"),
            Self::Heard {
                agent,
                message,
                stirred,
            } => {
                let how = if *stirred { "and stirs" } else { "and rests" };
                write!(f, "agent {agent} hears {} {how}", Shown(message))
            }
            Self::FellBack { agent, found } => write!(f, "agent {agent} starts from {}", Maybe(found)),
            Self::Offered { agent, answer } => write!(f, "agent {agent} is offered {answer}"),
            Self::Live { agent, answer, .. } => write!(f, "agent {agent} makes live {answer}"),
            Self::Refused { agent, answer } => write!(f, "agent {agent} refuses {answer}"),
            Self::Remembered { agent, answer } => write!(f, "agent {agent} writes down {answer}"),
            Self::Reported { agent, report, .. } => {
                let commit = report.commit.as_ref().map(number);
                write!(f, "agent {agent} reports {:?} with {commit:?}", report.outcome)
            }
            Self::Settled { agent, live, .. } => write!(f, "agent {agent} has settled on {}", Maybe(live)),
            Self::Told { server, status } => {
                write!(f, "server {server} says of {}: {:?}", status.bus_id, status.outcome)
            }
            Self::Left { server, waiting } => write!(f, "server {server} has {waiting} left in the outbox"),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let commit = self.revision.commit().as_ref().map(number);
        match commit {
            Some(commit) => write!(f, "c{commit} {}", self.values)?,
            None => write!(f, "nothing {}", self.values)?,
        }
        match &self.held {
            Some(held) => write!(f, " (c{} held back)", number(held)),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.iter().map(|value| match value {
            Some(content) => content.to_string(),
            None => "-".to_owned(),
        });
        write!(f, "[{}]", digits.collect::<String>())
    }
}

/// A message in a trace.
struct Shown<'a>(&'a Message);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = short(&self.0.event.id);
        let Some(notice) = &self.0.notice else {
            return write!(f, "event {id}");
        };
        let from = notice.from.as_ref().map(number);
        write!(f, "event {id} ({} {from:?} to {})", notice.label, number(&notice.to))
    }
}

struct Maybe<'a>(&'a Option<Arc<Answer>>);

impl fmt::Display for Maybe<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(answer) => answer.fmt(f),
            None => f.write_str("nothing"),
        }
    }
}

fn short(id: &EventId) -> &str {
    id.as_str().get(..8).unwrap_or(id.as_str())
}

/// A time in a trace.
#[must_use]
pub fn clock(now: u64) -> String {
    let time = Duration::from_millis(now);
    format!("{:>8.3} s", time.as_secs_f64())
}
