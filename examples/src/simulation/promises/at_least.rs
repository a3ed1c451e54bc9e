//! Promise 9: who asks for at least a commit is not answered with an older one.

use super::{Promise, Scene, Verdict, hold};
use crate::simulation::fact::Fact;
use crate::simulation::remote::number;

#[derive(Debug, Default)]
pub(super) struct AtLeast;

impl Promise for AtLeast {
    fn see(&mut self, scene: &Scene<'_>, fact: &Fact) -> Verdict {
        let Fact::Answered {
            server,
            agent,
            ask,
            answer,
            ..
        } = fact
        else {
            return Ok(());
        };
        let branch = scene.application(*agent).branch();
        let wanted = ask.at_least.iter().filter_map(|bound| bound.commit.as_ref());
        let mut wanted = wanted.map(number);
        let missed = wanted.find(|wanted| !scene.remote.reaches(branch, answer.position, *wanted));
        hold(missed.is_none(), || {
            let wanted = missed.unwrap_or_default();
            format!("server {server} answers {answer} where at least c{wanted} was asked for")
        })
    }
}
