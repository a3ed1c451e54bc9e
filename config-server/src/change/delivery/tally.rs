//! All answers since the start, for collectors of metrics.

use contract::latency::{BOUNDS, is_answer};
use contract::report::Outcome;

/// Answers by outcome, and how long they took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    outcomes: [u64; OUTCOMES.len()],
    /// Answers up to each of [`BOUNDS`] and past the one before; the last is past them all.
    within: [u64; BOUNDS.len() + 1],
    /// Of all answers together.
    millis: u64,
}

/// What an answer may say, and its name in metrics.
pub const OUTCOMES: [(Outcome, &str); 5] = [
    (Outcome::Applied, "applied"),
    (Outcome::Unchanged, "unchanged"),
    (Outcome::Failed, "failed"),
    (Outcome::Vetoed, "vetoed"),
    (Outcome::Stopped, "stopped"),
];

impl Tally {
    /// An answer came `millis` after its event was made.
    pub fn add(&mut self, outcome: Outcome, millis: u64) {
        if let Some(place) = OUTCOMES.iter().position(|(known, _)| *known == outcome) {
            self.outcomes[place] += 1;
        }
        if is_answer(outcome) {
            self.within[BOUNDS.partition_point(|bound| *bound < millis)] += 1;
            self.millis = self.millis.saturating_add(millis);
        }
    }

    /// Answers by the name of their outcome.
    pub fn outcomes(&self) -> impl Iterator<Item = (&'static str, u64)> {
        OUTCOMES
            .iter()
            .zip(self.outcomes)
            .map(|((_, name), count)| (*name, count))
    }

    /// Upper bounds in seconds and the answers between each and the one before it.
    #[must_use]
    pub fn seconds(&self) -> Vec<(f64, u64)> {
        let bounds = BOUNDS.iter().map(|millis| seconds(*millis)).chain([f64::INFINITY]);
        bounds.zip(self.within).collect()
    }

    /// The seconds of all answers together.
    #[must_use]
    pub fn total_seconds(&self) -> f64 {
        seconds(self.millis)
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of centuries fit")]
fn seconds(millis: u64) -> f64 {
    millis as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_by_outcome_and_by_how_long_they_took() {
        let mut tally = Tally::default();
        for (outcome, millis) in [
            (Outcome::Applied, 5),
            (Outcome::Applied, 6),
            (Outcome::Vetoed, 90_000),
            (Outcome::Stopped, 7_000_000),
        ] {
            tally.add(outcome, millis);
        }
        let outcomes: Vec<_> = tally.outcomes().filter(|(_, count)| *count > 0).collect();
        assert_eq!(outcomes, [("applied", 2), ("vetoed", 1), ("stopped", 1)]);
        let filled: Vec<_> = tally.seconds().into_iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(filled, [(0.005, 1), (0.01, 1), (f64::INFINITY, 1)]);
        assert!((tally.total_seconds() - 90.011).abs() < 1e-9);
    }
}
