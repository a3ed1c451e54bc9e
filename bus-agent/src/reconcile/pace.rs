//! How often and how soon.

use std::time::Duration;

/// Longest wait a server's `Retry-After` can ask for.
const LONGEST_WISH: Duration = Duration::from_secs(300);

/// The times an agent keeps. Every one of them is jittered, so that a fleet does not march in step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pace {
    /// A look at the latest this long after the last one; 60 s.
    pub interval: Duration,
    /// First wait after a failure; 500 ms. It doubles with each further one.
    pub backoff_first: Duration,
    /// Longest wait after a failure; 30 s.
    pub backoff_longest: Duration,
    /// Window over which agents spread when their connection comes back; 1 s.
    pub reconnect_spread: Duration,
    /// Longest spread window a notice is believed; 5 min.
    pub spread_longest: Duration,
    /// The servers are told how this agent stands at least this often, though nothing changed;
    /// 3 min. They wait for nobody they have not heard of for long (`config-bus.agent-ttl`).
    pub sign_of_life: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(60),
            backoff_first: Duration::from_millis(500),
            backoff_longest: Duration::from_secs(30),
            reconnect_spread: Duration::from_secs(1),
            spread_longest: Duration::from_secs(300),
            sign_of_life: Duration::from_secs(180),
        }
    }
}

impl Pace {
    /// Until the next look without a cause: between three quarters of the interval and all of it.
    pub(super) fn until_timer(&self, rng: &mut fastrand::Rng) -> Duration {
        self.interval.mul_f64(0.75 + rng.f64() / 4.0)
    }

    /// After the `failures`-th failure in a row: full jitter over a doubling window, and never
    /// sooner than the server asked for.
    pub(crate) fn until_retry(&self, failures: u32, wish: Option<Duration>, rng: &mut fastrand::Rng) -> Duration {
        let window = self
            .backoff_first
            .saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)))
            .min(self.backoff_longest);
        // Not below a tenth: a full jitter of nothing is a busy loop.
        let own = window.mul_f64(0.1 + 0.9 * rng.f64());
        match wish {
            None => own,
            Some(wish) => wish.min(LONGEST_WISH) + own.min(self.backoff_first),
        }
    }

    /// Uniform within `window`.
    pub(super) fn within(window: Duration, rng: &mut fastrand::Rng) -> Duration {
        window.mul_f64(rng.f64())
    }
}
