//! What came of the rounds.

use std::fmt;
use std::time::Duration;

/// How long everybody took, round by round.
#[derive(Debug, Default)]
pub(crate) struct Rounds {
    all: Vec<Duration>,
    last: Vec<Duration>,
}

/// Rounds in three numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    p50: Duration,
    p99: Duration,
    max: Duration,
    /// The last one of the median round.
    last: Duration,
}

impl Rounds {
    pub(crate) fn add(&mut self, took: Vec<Duration>) {
        self.last.extend(took.iter().max());
        self.all.extend(took);
    }

    pub(crate) fn figures(mut self) -> Figures {
        self.all.sort_unstable();
        self.last.sort_unstable();
        let of = |sorted: &[Duration], share: f64| {
            let at = (sorted.len() as f64 * share) as usize;
            sorted.get(at).copied().unwrap_or_default()
        };
        Figures {
            p50: of(&self.all, 0.5),
            p99: of(&self.all, 0.99),
            max: self.all.last().copied().unwrap_or_default(),
            last: of(&self.last, 0.5),
        }
    }
}

impl Figures {
    pub(crate) const HEAD: &'static str =
        "                                     p50      p99      max     last of the median round";

    /// How many times as long the last one took.
    pub(crate) fn last_of(&self, other: &Self) -> f64 {
        self.last.as_secs_f64() / other.last.as_secs_f64()
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = |duration: Duration| duration.as_secs_f64() * 1000.0;
        let [p50, p99, max, last] = [self.p50, self.p99, self.max, self.last].map(millis);
        write!(f, "{p50:6.1}   {p99:6.1}   {max:6.1}   {last:6.1} ms")
    }
}
