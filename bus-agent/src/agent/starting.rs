//! What happens until the first configuration is live.

use std::time::Duration;

use tokio::sync::oneshot;

use super::start::StartError;
use crate::apply::Veto;
use crate::fetch::FetchError;

/// What a start does while no server gives a configuration. What was remembered is used first,
/// unless it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum WithoutServer {
    /// Fails.
    Fail,
    /// Starts with the last known good configuration, or without a server's part.
    #[default]
    Start,
    /// Starts with the last known good configuration, or waits for as long as it takes.
    Wait,
}

/// Decides what a start without a good answer does.
#[derive(Debug)]
pub(super) struct Starting {
    /// `None` once the outcome was told.
    started: Option<oneshot::Sender<Result<(), StartError>>>,
    policy: WithoutServer,
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
    pub(super) fn new(
        started: oneshot::Sender<Result<(), StartError>>,
        policy: WithoutServer,
        deadline: Duration,
    ) -> Self {
        Self {
            started: Some(started),
            policy,
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
        if self.policy == WithoutServer::Fail && !error.is_retryable() {
            return self.give_up(StartError::Fetch(error));
        }
        self.last = Some(error);
        match self.policy {
            WithoutServer::Fail => Verdict::Wait,
            WithoutServer::Start | WithoutServer::Wait => self.fall_back(),
        }
    }

    pub(super) fn is_late(&mut self) -> Verdict {
        // Once is enough: from here on only an answer of a server helps.
        self.deadline = Duration::MAX;
        match self.policy {
            WithoutServer::Fail => {
                let error = self.last.take().map_or(StartError::TimedOut, StartError::Fetch);
                self.give_up(error)
            }
            WithoutServer::Start => {
                self.fell_back = true;
                Verdict::Anything
            }
            WithoutServer::Wait => self.fall_back(),
        }
    }

    pub(super) fn refused(&mut self, veto: Veto) -> Verdict {
        match self.policy {
            WithoutServer::Fail => self.give_up(StartError::Refused(veto)),
            WithoutServer::Start if self.fell_back => self.give_up(StartError::Refused(veto)),
            WithoutServer::Start => self.fall_back(),
            WithoutServer::Wait => Verdict::Wait,
        }
    }

    fn fall_back(&mut self) -> Verdict {
        if std::mem::replace(&mut self.fell_back, true) {
            Verdict::Wait
        } else {
            Verdict::Remembered
        }
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
