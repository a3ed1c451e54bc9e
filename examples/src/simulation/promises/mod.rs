//! The promises of the design, one checker each. A checker is told every [`Fact`] and keeps what it
//! needs to find a contradiction; what is true it takes from the [`Remote`] alone.

mod at_least;
mod duplicates;
mod honest_report;
mod last_known_good;
mod never_backward;
mod never_lost;
mod never_torn;
mod quiet;
mod refuse_bad;
mod swap_before_event;

use contract::Message;

use super::agenda::Millis;
use super::fact::Fact;
use super::remote::{APPLICATIONS, Application, Remote};

/// A promise was broken: how.
pub type Verdict = Result<(), String>;

/// One promise.
pub trait Promise: std::fmt::Debug {
    /// Takes what happened.
    ///
    /// # Errors
    /// What contradicts the promise.
    fn see(&mut self, scene: &Scene<'_>, fact: &Fact) -> Verdict;
}

/// What a checker may look at.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    pub now: Millis,
    pub remote: &'a Remote,
    /// Which application each agent is.
    pub cast: &'a [usize],
}

impl Scene<'_> {
    /// The application of an agent.
    #[must_use]
    pub fn application(&self, agent: usize) -> &'static Application {
        &APPLICATIONS[self.cast[agent]]
    }
}

/// A promise and its checker.
#[derive(Debug)]
pub struct Checked {
    pub number: u8,
    pub name: &'static str,
    checker: Box<dyn Promise>,
}

/// A promise that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub number: u8,
    pub name: &'static str,
    pub at: Millis,
    pub why: String,
}

/// All ten, by their numbers in the design.
#[must_use]
pub fn all() -> Vec<Checked> {
    let checked = |number, name, checker| Checked { number, name, checker };
    vec![
        checked(
            1,
            "swap before event",
            Box::<swap_before_event::SwapBeforeEvent>::default() as _,
        ),
        checked(
            2,
            "never backward",
            Box::<never_backward::NeverBackward>::default() as _,
        ),
        checked(3, "never torn", Box::<never_torn::NeverTorn>::default() as _),
        checked(4, "never lost", Box::<never_lost::NeverLost>::default() as _),
        checked(
            5,
            "duplicates and disorder change nothing",
            Box::<duplicates::Duplicates>::default() as _,
        ),
        checked(6, "quiet", Box::<quiet::Quiet>::default() as _),
        checked(7, "refuse bad", Box::<refuse_bad::RefuseBad>::default() as _),
        checked(
            8,
            "last known good",
            Box::<last_known_good::LastKnownGood>::default() as _,
        ),
        checked(9, "at least", Box::<at_least::AtLeast>::default() as _),
        checked(10, "honest report", Box::<honest_report::HonestReport>::default() as _),
    ]
}

impl Checked {
    /// Takes what happened.
    ///
    /// # Errors
    /// The [`Violation`], when the promise does not hold.
    pub fn see(&mut self, scene: &Scene<'_>, fact: &Fact) -> Result<(), Violation> {
        self.checker.see(scene, fact).map_err(|why| Violation {
            number: self.number,
            name: self.name,
            at: scene.now,
            why,
        })
    }
}

/// Whether an application is touched by what an event says.
fn concerns(application: &Application, message: &Message) -> bool {
    let Some(notice) = &message.notice else {
        return true;
    };
    let follows = application.label.is_none_or(|label| label == notice.label.as_str());
    follows && notice.affects.covers(&[application.name], application.profiles())
}

/// `Err` with the text unless the condition holds.
fn hold(holds: bool, why: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(why()) }
}
