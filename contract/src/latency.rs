//! How long answers took: of one refresh as a picture, of all of them as a count for collectors.

use serde::{Deserialize, Serialize};

use crate::report::Outcome;

/// Upper bounds in milliseconds: an agent without a spread window answers in tens of them, the last
/// of ten thousand within ten seconds, and the one that heard nothing with its timer.
pub const BOUNDS: [u64; 12] = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 60_000];

/// The milliseconds from an event's making to its answers' arrival.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Latency {
    /// Answers.
    pub count: usize,
    /// Half of them took no longer.
    pub p50: u64,
    /// Ninety-nine of a hundred took no longer.
    pub p99: u64,
    /// The slowest.
    pub max: u64,
    /// How many had come by each of [`BOUNDS`]; those past the last are in `count` alone.
    pub buckets: Vec<Bucket>,
}

/// The answers that had come in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// Milliseconds.
    pub le: u64,
    /// Answers that took no longer.
    pub count: usize,
}

impl Latency {
    /// The picture of `millis`, in any order; `None` of nothing.
    #[must_use]
    pub fn of(millis: impl IntoIterator<Item = u64>) -> Option<Self> {
        let mut sorted: Vec<u64> = millis.into_iter().collect();
        sorted.sort_unstable();
        let max = *sorted.last()?;
        let by = |le: u64| Bucket {
            le,
            count: sorted.partition_point(|taken| *taken <= le),
        };
        Some(Self {
            count: sorted.len(),
            p50: percentile(&sorted, 50),
            p99: percentile(&sorted, 99),
            max,
            buckets: BOUNDS.map(by).to_vec(),
        })
    }
}

/// Whether somebody acted on the event. Who stopped went for reasons of its own.
#[must_use]
pub fn is_answer(outcome: Outcome) -> bool {
    outcome != Outcome::Stopped
}

/// The nearest rank: always a time that was measured. `sorted` is not empty.
fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted[rank.saturating_sub(1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let upto = |last: u64| (1..=last).rev().collect::<Vec<_>>();
        for (millis, count, p50, p99, max) in [
            (vec![7], 1, 7, 7, 7),
            (vec![9, 1], 2, 1, 9, 9),
            (vec![3, 1, 2], 3, 2, 3, 3),
            (upto(100), 100, 50, 99, 100),
            (upto(1_000), 1_000, 500, 990, 1_000),
            (vec![0; 5], 5, 0, 0, 0),
        ] {
            let picture = Latency::of(millis).expect("a picture");
            assert_eq!(
                (picture.count, picture.p50, picture.p99, picture.max),
                (count, p50, p99, max)
            );
        }
        assert_eq!(Latency::of([]), None);
    }

    #[test]
    fn a_bucket_counts_everything_up_to_its_bound() {
        let picture = Latency::of([0, 5, 6, 60_000, 60_001]).expect("a picture");
        let counts: Vec<usize> = picture.buckets.iter().map(|bucket| bucket.count).collect();
        assert_eq!(counts, [2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4]);
        assert_eq!(picture.count, 5);
    }
}
