//! Who waits for which look. Pure: no clock, no task.

use crate::store::head_log::Cause;

/// One look runs at a time. Whoever asks while it runs shares the *next* one: what they want to see
/// may have been pushed after the running one had its answer.
#[derive(Debug)]
pub struct Rounds<T> {
    running: Option<Round<T>>,
    next: Option<Round<T>>,
}

#[derive(Debug)]
struct Round<T> {
    cause: Cause,
    /// Somebody may have it at once, however lately the last one was.
    ordered: bool,
    waiting: Vec<T>,
}

impl<T> Rounds<T> {
    /// Nobody waits.
    #[must_use]
    pub fn new() -> Self {
        Self {
            running: None,
            next: None,
        }
    }

    /// Orders a look that starts after now; `waiter` is told its end.
    pub fn order(&mut self, cause: Cause, waiter: Option<T>) {
        self.ask(cause, waiter).ordered = true;
    }

    /// Wants a look that starts after now, for a reader: strangers read, so it may have to wait.
    pub fn want(&mut self, waiter: T) {
        self.ask(Cause::Read, Some(waiter));
    }

    fn ask(&mut self, cause: Cause, waiter: Option<T>) -> &mut Round<T> {
        let round = self.next.get_or_insert_with(|| Round {
            cause,
            ordered: false,
            waiting: Vec::new(),
        });
        // Whoever has a reason of their own names the move; the clock only when nobody else does.
        if matches!(round.cause, Cause::Tick) {
            round.cause = cause;
        }
        round.waiting.extend(waiter);
        round
    }

    /// Shares the running look if there is one: for those who know nothing yet.
    pub fn join(&mut self, waiter: T) {
        match &mut self.running {
            Some(round) => round.waiting.push(waiter),
            None => self.want(waiter),
        }
    }

    /// Whether a look should start now; it counts as running from here on. One that nobody ordered
    /// starts only when the last is long enough ago, which is `rested`.
    pub fn start(&mut self, rested: bool) -> bool {
        if self.running.is_some() {
            return false;
        }
        self.running = self.next.take_if(|next| next.ordered || rested);
        self.running.is_some()
    }

    /// Whether a look waits only for the last to be long enough ago.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.running.is_none() && self.next.is_some()
    }

    /// Why the running look runs.
    #[must_use]
    pub fn cause(&self) -> Cause {
        self.running.as_ref().map_or(Cause::Tick, |round| round.cause)
    }

    /// The running look has ended: who waited for it.
    pub fn finish(&mut self) -> Vec<T> {
        self.running.take().map(|round| round.waiting).unwrap_or_default()
    }
}

impl<T> Default for Rounds<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_ask_during_a_look_share_the_next_one() {
        let mut rounds = Rounds::new();
        assert!(!rounds.start(true));
        rounds.want(1);
        rounds.want(2);
        assert!(rounds.start(true));
        rounds.want(3);
        rounds.want(4);
        assert!(!rounds.start(true), "one at a time");
        assert_eq!(rounds.finish(), [1, 2]);
        assert!(rounds.start(true));
        assert_eq!(rounds.finish(), [3, 4]);
        assert!(!rounds.start(true));
    }

    #[test]
    fn a_look_that_nobody_ordered_comes_after_a_rest() {
        let mut rounds = Rounds::new();
        rounds.want(1);
        assert!(!rounds.start(false));
        assert!(rounds.is_held());
        rounds.order(Cause::Webhook, Some(2));
        assert!(rounds.start(false));
        assert!(!rounds.is_held());
        assert_eq!(rounds.finish(), [1, 2]);
    }

    #[test]
    fn those_who_know_nothing_share_the_running_one() {
        let mut rounds = Rounds::new();
        rounds.join(1);
        assert!(rounds.start(true));
        rounds.join(2);
        assert_eq!(rounds.finish(), [1, 2]);
    }

    #[test]
    fn the_clock_is_named_only_when_nobody_else_asked() {
        let mut rounds: Rounds<()> = Rounds::new();
        rounds.order(Cause::Tick, None);
        rounds.order(Cause::Webhook, None);
        rounds.order(Cause::Operator, None);
        rounds.start(true);
        assert_eq!(rounds.cause(), Cause::Webhook);
        rounds.order(Cause::Tick, None);
        rounds.finish();
        rounds.start(true);
        assert_eq!(rounds.cause(), Cause::Tick);
    }
}
