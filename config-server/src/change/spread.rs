//! Over which time many agents spread what they do about an event.

/// What agents do is spread once they are a crowd.
pub(super) struct Spread {
    /// Up to here nobody waits.
    crowd: usize,
    /// As many a second come beyond that.
    rate: u64,
}

/// Far below what a cached read costs, and so few agents come at once.
pub(super) const FETCHES: Spread = Spread {
    crowd: 1_000,
    rate: 10_000,
};
/// A report waits for the others' fetches, not the other way round: with them it would take half of
/// what a broker can do from the events that are still on their way.
pub(super) const REPORTS: Spread = Spread {
    crowd: 100,
    rate: 2_000,
};

impl Spread {
    /// The window for a fleet of `agents`, at most `limit` milliseconds.
    pub(super) fn window_millis(&self, agents: usize, limit: u64) -> u64 {
        if agents <= self.crowd {
            return 0;
        }
        let agents = u64::try_from(agents).unwrap_or(u64::MAX);
        (agents.saturating_mul(1000) / self.rate).min(limit)
    }
}

#[cfg(test)]
mod tests {
    use super::{FETCHES, REPORTS};

    #[test]
    fn only_a_crowd_is_spread_and_never_longer_than_the_setting() {
        for (agents, limit, fetches, reports) in [
            (0, 10_000, 0, 0),
            (100, 10_000, 0, 0),
            (1_000, 10_000, 0, 500),
            (5_000, 10_000, 500, 2_500),
            (50_000, 10_000, 5_000, 10_000),
            (50_000, 2_000, 2_000, 2_000),
            (10_000, 0, 0, 0),
        ] {
            let windows = [FETCHES, REPORTS].map(|spread| spread.window_millis(agents, limit));
            assert_eq!(windows, [fetches, reports], "{agents} agents, at most {limit} ms");
        }
    }
}
