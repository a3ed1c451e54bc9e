//! Promise 1: a server serves commit C before any event that names C leaves it, and the event says
//! whom the move touches.

use std::collections::BTreeMap;

use contract::Notice;

use super::{Promise, Scene, Verdict, hold};
use crate::simulation::fact::Fact;
use crate::simulation::remote::{APPLICATIONS, Application, Place, Remote, branch_named, number};

#[derive(Debug, Default)]
pub(super) struct SwapBeforeEvent {
    /// The place of its branch that each move leads to.
    leads_to: BTreeMap<String, usize>,
}

impl Promise for SwapBeforeEvent {
    fn see(&mut self, scene: &Scene<'_>, fact: &Fact) -> Verdict {
        match fact {
            Fact::Moved { moved, position, .. } => {
                self.leads_to.insert(moved.to_string(), *position);
                Ok(())
            }
            Fact::Sent { message, serves, .. } => match &message.notice {
                Some(notice) => self
                    .is_served(notice, *serves)
                    .and_then(|()| is_told(notice, scene.remote)),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

impl SwapBeforeEvent {
    fn is_served(&self, notice: &Notice, serves: Option<Place>) -> Verdict {
        let moved = notice.moved.as_ref().ok_or("a move is announced without its name")?;
        let place = self.leads_to.get(&moved.to_string());
        let place = *place.ok_or("a move is announced that was not written down")?;
        hold(serves.is_some_and(|serves| serves.position >= place), || {
            format!("the move to place {place} is announced while {serves:?} is served")
        })
    }
}

/// Everybody whose files differ between the two commits is named.
fn is_told(notice: &Notice, remote: &Remote) -> Verdict {
    let mut everybody = APPLICATIONS.iter();
    everybody.try_for_each(|application| tells(application, notice, remote))
}

/// An application whose files differ between the two commits is told.
fn tells(application: &Application, notice: &Notice, remote: &Remote) -> Verdict {
    let (Some(from), to) = (notice.from.as_ref().map(number), number(&notice.to)) else {
        return Ok(());
    };
    let follows = branch_named(notice.label.as_str()) == Some(application.branch());
    let told = notice.affects.covers(&[application.name], application.profiles());
    hold(told || !follows || !remote.differ(from, to, application.reads), || {
        format!(
            "c{from} to c{to} changes what {} reads, and the event leaves it out",
            application.name
        )
    })
}
