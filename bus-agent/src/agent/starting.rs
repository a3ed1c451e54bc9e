//! What happens until the first configuration is live.

use std::time::Duration;

use tokio::sync::oneshot;

use super::start::StartError;
use crate::apply::Veto;
use crate::fetch::FetchError;

/// Decides what a start without a good answer does.
#[derive(Debug)]
pub(super) struct Starting {
    /// `None` once the outcome was told.
    started: Option<oneshot::Sender<Result<(), StartError>>>,
    fail_fast: bool,
    deadline: Duration,
    fell_back: bool,
    last: Option<FetchError>,
}

/// What to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Try on.
    Wait,
    /// Use what was remembered, when there is something.
    Remembered,
    /// Use what was remembered, else start without a server's part.
    Anything,
    /// The start failed.
    GiveUp,
}

impl Starting {
    /// A start that is late after `deadline` (since the agent started).
    pub(super) fn new(started: oneshot::Sender<Result<(), StartError>>, fail_fast: bool, deadline: Duration) -> Self {
        Self {
            started: Some(started),
            fail_fast,
            deadline,
            fell_back: false,
            last: None,
        }
    }

    pub(super) fn deadline(&self) -> Duration {
        self.deadline
    }

    pub(super) fn has_failed(&self) -> bool {
        self.started.is_none()
    }

    /// Something is live.
    pub(super) fn succeeded(mut self) {
        self.tell(Ok(()));
    }

    pub(super) fn fetch_failed(&mut self, error: FetchError) -> Verdict {
        if self.fail_fast && !error.is_retryable() {
            return self.give_up(StartError::Fetch(error));
        }
        self.last = Some(error);
        if self.fail_fast || self.fell_back {
            return Verdict::Wait;
        }
        self.fell_back = true;
        Verdict::Remembered
    }

    pub(super) fn is_late(&mut self) -> Verdict {
        if self.fail_fast {
            let error = self.last.take().map_or(StartError::TimedOut, StartError::Fetch);
            return self.give_up(error);
        }
        // Once is enough: from here on only an answer of a server helps.
        self.deadline = Duration::MAX;
        self.fell_back = true;
        Verdict::Anything
    }

    pub(super) fn refused(&mut self, veto: Veto) -> Verdict {
        if self.fail_fast || self.fell_back {
            return self.give_up(StartError::Refused(veto));
        }
        self.fell_back = true;
        Verdict::Remembered
    }

    fn give_up(&mut self, error: StartError) -> Verdict {
        self.tell(Err(error));
        Verdict::GiveUp
    }

    fn tell(&mut self, outcome: Result<(), StartError>) {
        if let Some(started) = self.started.take() {
            // Whoever started the agent may have gone; then it is being stopped.
            let _ = started.send(outcome);
        }
    }
}
