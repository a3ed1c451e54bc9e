//! Promise 5: an event that comes again is recognised by its id, and changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use contract::EventId;

use super::{Promise, Scene, Verdict, concerns, hold};
use crate::simulation::agenda::Millis;
use crate::simulation::fact::Fact;

/// For how long an id has to be remembered.
const MEMORY: Millis = 15 * 60 * 1_000;

#[derive(Debug, Default)]
pub(super) struct Duplicates {
    /// When each agent, as long as its process runs, heard an event for the first time.
    heard: BTreeMap<usize, BTreeMap<EventId, Millis>>,
    /// The id that each move had when it was first announced.
    ids: BTreeMap<String, EventId>,
    /// What each id was given to.
    meant: BTreeMap<EventId, BTreeSet<(String, Option<String>, String)>>,
}

impl Promise for Duplicates {
    fn see(&mut self, scene: &Scene<'_>, fact: &Fact) -> Verdict {
        match fact {
            Fact::Began { agent } => {
                self.heard.remove(agent);
                Ok(())
            }
            Fact::Heard {
                agent,
                message,
                stirred,
            } if concerns(scene.application(*agent), message) => {
                let heard = self.heard.entry(*agent).or_default();
                let first = *heard.entry(message.event.id.clone()).or_insert(scene.now);
                let again = first < scene.now && scene.now - first < MEMORY;
                hold(!(again && *stirred), || {
                    format!("agent {agent} stirs at an event it heard at {first} ms")
                })
            }
            Fact::Sent { message, .. } => self.is_named_as_before(message),
            _ => Ok(()),
        }
    }
}

impl Duplicates {
    fn is_named_as_before(&mut self, message: &contract::Message) -> Verdict {
        let Some(notice) = &message.notice else {
            return Ok(());
        };
        let id = &message.event.id;
        let from = notice.from.as_ref().map(ToString::to_string);
        let meant = self.meant.entry(id.clone()).or_default();
        meant.insert((notice.label.to_string(), from, notice.to.to_string()));
        hold(meant.len() == 1, || format!("event {id} names two different moves"))?;
        let Some(moved) = &notice.moved else {
            return Ok(());
        };
        let first = self.ids.entry(moved.to_string()).or_insert_with(|| id.clone());
        hold(first == id, || {
            format!("move {} is announced as {first} and as {id}", moved.sequence)
        })
    }
}
