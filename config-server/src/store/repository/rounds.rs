//! Who waits for which look. Pure: no clock, no task.

use crate::store::head_log::Cause;

/// One look runs at a time. Whoever asks while it runs shares the *next* one: what they want to see
/// may have been pushed after the running one had its answer.
#[derive(Debug)]
pub(super) struct Rounds<T> {
    running: Option<Round<T>>,
    next: Option<Round<T>>,
}

#[derive(Debug)]
struct Round<T> {
    cause: Cause,
    waiting: Vec<T>,
}

impl<T> Rounds<T> {
    pub(super) fn new() -> Self {
        Self {
            running: None,
            next: None,
        }
    }

    /// Asks for a look that starts after now; `waiter` is told its end.
    pub(super) fn ask(&mut self, cause: Cause, waiter: Option<T>) {
        let round = self.next.get_or_insert_with(|| Round {
            cause,
            waiting: Vec::new(),
        });
        // Whoever has a reason of their own names the move; the clock only when nobody else does.
        if matches!(round.cause, Cause::Tick) {
            round.cause = cause;
        }
        round.waiting.extend(waiter);
    }

    /// Shares the running look if there is one: for those who know nothing yet.
    pub(super) fn join(&mut self, cause: Cause, waiter: T) {
        match &mut self.running {
            Some(round) => round.waiting.push(waiter),
            None => self.ask(cause, Some(waiter)),
        }
    }

    /// Whether a look should start now; it counts as running from here on.
    pub(super) fn start(&mut self) -> bool {
        if self.running.is_some() {
            return false;
        }
        self.running = self.next.take();
        self.running.is_some()
    }

    /// Why the running look runs.
    pub(super) fn cause(&self) -> Cause {
        self.running.as_ref().map_or(Cause::Tick, |round| round.cause)
    }

    /// The running look has ended: who waited for it.
    pub(super) fn finish(&mut self) -> Vec<T> {
        self.running.take().map(|round| round.waiting).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_ask_during_a_look_share_the_next_one() {
        let mut rounds = Rounds::new();
        assert!(!rounds.start());
        rounds.ask(Cause::Read, Some(1));
        rounds.ask(Cause::Read, Some(2));
        assert!(rounds.start());
        rounds.ask(Cause::Read, Some(3));
        rounds.ask(Cause::Read, Some(4));
        assert!(!rounds.start(), "one at a time");
        assert_eq!(rounds.finish(), [1, 2]);
        assert!(rounds.start());
        assert_eq!(rounds.finish(), [3, 4]);
        assert!(!rounds.start());
    }

    #[test]
    fn those_who_know_nothing_share_the_running_one() {
        let mut rounds = Rounds::new();
        rounds.join(Cause::Read, 1);
        assert!(rounds.start());
        rounds.join(Cause::Read, 2);
        assert_eq!(rounds.finish(), [1, 2]);
    }

    #[test]
    fn the_clock_is_named_only_when_nobody_else_asked() {
        let mut rounds: Rounds<()> = Rounds::new();
        rounds.ask(Cause::Tick, None);
        rounds.ask(Cause::Webhook, None);
        rounds.ask(Cause::Operator, None);
        rounds.start();
        assert_eq!(rounds.cause(), Cause::Webhook);
        rounds.ask(Cause::Tick, None);
        rounds.finish();
        rounds.start();
        assert_eq!(rounds.cause(), Cause::Tick);
    }
}
