//! Promise 3: what an application sees is what exactly one commit holds.

use super::{Promise, Scene, Verdict, hold};
use crate::simulation::fact::{Answer, Fact};
use crate::simulation::remote::number;

#[derive(Debug, Default)]
pub(super) struct NeverTorn;

impl Promise for NeverTorn {
    fn see(&mut self, scene: &Scene<'_>, fact: &Fact) -> Verdict {
        match fact {
            Fact::Live { agent, answer, .. }
            | Fact::Remembered { agent, answer }
            | Fact::Settled {
                agent,
                live: Some(answer),
                ..
            } => is_whole(scene, *agent, answer),
            _ => Ok(()),
        }
    }
}

/// Broken files are the business of another promise.
fn is_whole(scene: &Scene<'_>, agent: usize, answer: &Answer) -> Verdict {
    let commit = answer.revision.commit().ok_or("no commit is named")?;
    let commit = number(&commit);
    let expected = scene.remote.expected(commit, scene.application(agent).reads);
    hold(expected.is_none_or(|expected| expected == answer.values), || {
        format!("agent {agent} has {} of commit c{commit}", answer.values)
    })
}
