//! Many runs of a fault, added up to one line.

use std::fmt;
use std::time::Duration;

/// One line of the table.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// The fault.
    pub name: &'static str,
    /// How many runs there were.
    pub runs: usize,
    /// How long each took that came to an end.
    pub convergences: Vec<Duration>,
    /// How many promises were not kept, runs that could not be made among them.
    pub violations: usize,
}

/// The head of the table.
pub const HEAD: &str = "| fault | runs | p50 | p99 | max | violations |\n| --- | ---: | ---: | ---: | ---: | ---: |";

impl Row {
    /// The value below which `hundredths` of the runs lie (nearest rank).
    #[must_use]
    pub fn percentile(&self, hundredths: usize) -> Option<Duration> {
        let mut sorted = self.convergences.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * hundredths).div_ceil(100);
        sorted.get(rank.checked_sub(1)?).copied()
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |hundredths| match self.percentile(hundredths) {
            Some(time) => format!("{:.2} s", time.as_secs_f64()),
            None => "-".to_owned(),
        };
        let Self {
            name, runs, violations, ..
        } = self;
        write!(
            f,
            "| {name} | {runs} | {} | {} | {} | {violations} |",
            time(50),
            time(99),
            time(100)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_tells_nearest_ranks() {
        let row = Row {
            name: "some-fault",
            runs: 4,
            convergences: [4, 1, 3, 2].map(Duration::from_secs).to_vec(),
            violations: 0,
        };
        assert_eq!(row.to_string(), "| some-fault | 4 | 2.00 s | 4.00 s | 4.00 s | 0 |");
        let none = Row {
            name: "hopeless",
            runs: 1,
            violations: 1,
            ..Row::default()
        };
        assert_eq!(none.to_string(), "| hopeless | 1 | - | - | - | 1 |");
    }
}
