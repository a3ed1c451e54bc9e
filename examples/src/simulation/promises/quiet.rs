//! Promise 6: an application whose configuration did not change is left alone, and an agent that a
//! notice does not touch does not even look.

use super::{Promise, Scene, Verdict, concerns, hold};
use crate::simulation::fact::Fact;

#[derive(Debug, Default)]
pub(super) struct Quiet;

impl Promise for Quiet {
    fn see(&mut self, scene: &Scene<'_>, fact: &Fact) -> Verdict {
        match fact {
            Fact::Live {
                agent,
                answer,
                before: Some(before),
            } => hold(answer.values != before.values, || {
                format!("agent {agent} fires its listeners for {answer}, which it had")
            }),
            Fact::Heard {
                agent,
                message,
                stirred: true,
            } => hold(concerns(scene.application(*agent), message), || {
                format!("agent {agent} stirs at a notice that does not touch it")
            }),
            _ => Ok(()),
        }
    }
}
