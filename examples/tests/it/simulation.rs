//! The simulation keeps every promise, and its checkers catch those who do not.
//!
//! `just simulate` plays many more histories.

use std::fmt::Write;

use examples::simulation::campaign::explain;
use examples::simulation::{Broken, Campaign, Totals};

/// Seeds within which every defect is caught.
const ENOUGH: u64 = 400;

fn play(seeds: u64, broken: Option<Broken>) -> Totals {
    let campaign = Campaign {
        first: 0,
        seeds,
        broken,
    };
    campaign.run(broken.is_some())
}

#[test]
fn every_promise_is_kept_in_every_history() {
    let totals = play(120, None);
    let mut shown = String::new();
    for (seed, violation) in totals.violations.iter().take(3) {
        writeln!(shown, "{}", explain(*seed, violation, None)).expect("a string takes everything");
    }
    assert!(totals.violations.is_empty(), "{shown}");
    assert_eq!(totals.seeds, 120);
}

#[test]
fn a_seed_always_plays_the_same_history() {
    for seed in [3, 14] {
        let (one, other) = (
            examples::simulation::play(seed, None),
            examples::simulation::play(seed, None),
        );
        assert_eq!(one, other, "seed {seed}");
        assert!(one.events > 100 && !one.faults.is_empty(), "seed {seed} plays nothing");
    }
}

/// What each defect breaks first.
#[test]
fn every_defect_is_caught_by_the_promise_it_breaks() {
    for (broken, promise) in [
        (Broken::EventBeforeSwap, 1),
        (Broken::GuessesNarrow, 1),
        (Broken::OlderAnswer, 2),
        (Broken::TwoCommits, 3),
        (Broken::NoConfirm, 4),
        (Broken::NoTimer, 4),
        (Broken::NoMemory, 5),
        (Broken::FiresOnUnchanged, 6),
        (Broken::IgnoresScope, 6),
        (Broken::ServesBroken, 7),
        (Broken::OverrulesVeto, 7),
        (Broken::ForgetsLastKnownGood, 8),
        (Broken::NeverRemembers, 8),
        (Broken::IgnoresAtLeast, 9),
        (Broken::TrustsAncestry, 2),
        (Broken::ReportsBeforeApply, 10),
    ] {
        let totals = play(ENOUGH, Some(broken));
        let caught = totals.violations.first().map(|(_, violation)| violation.number);
        assert_eq!(caught, Some(promise), "{broken:?}: {:?}", totals.violations);
    }
}
