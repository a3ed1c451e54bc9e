//! `config-server status`: how a running server stands, for people at a terminal and for scripts.
//!
//! - [`ask`]: the one request (`GET /bus/status`)
//! - [`view`]: from the answer to lines (pure)
//! - [`screen`]: from one answer after another to what is written (pure)
//!
//! Nothing of the server's is trusted: its texts are shown without control characters.

pub mod ask;
pub mod screen;
pub mod view;

use std::io;
use std::time::Duration;

use contract::ServerStatus;
use contract::delivery::EventState;
use tokio::time::sleep;

pub use ask::{Server, StatusError};
pub use screen::{Screen, Size};

/// Between two looks while a round proceeds, and while nothing does.
const PAUSES: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(1)];

/// Takes what is to be shown. Where nobody reads any more, it says so.
pub type Out<'a> = &'a mut (dyn FnMut(&str) -> io::Result<()> + Send);

/// How the server stood when it was asked last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Fine,
    /// Somebody should look at something.
    Faulty,
    Unreachable,
}

impl Standing {
    /// Of a server that says this.
    #[must_use]
    pub fn of(status: &ServerStatus) -> Self {
        let heads = status.heads.iter().any(contract::status::HeadStatus::is_faulty);
        let faulty = |application: &contract::status::ApplicationStatus| application.is_faulty(status.drift_after);
        let applications = status.applications.iter().any(faulty);
        if !status.ready || heads || status.bus.is_faulty() || applications || round_is_faulty(status) {
            Self::Faulty
        } else {
            Self::Fine
        }
    }
}

/// Asks once.
///
/// # Errors
/// [`StatusError`] when the server does not say how it stands.
pub async fn once(server: &Server, mut screen: Screen, out: Out<'_>) -> Result<Standing, StatusError> {
    let status = server.ask().await?;
    let standing = Standing::of(&status);
    if let Some(text) = screen.show(&Ok(status)) {
        // Whoever does not read to the end still gets the exit code.
        let _ = out(&text);
    }
    Ok(standing)
}

/// Asks again and again, `until` that is enough or nobody reads any more; a server that is away is
/// waited for. Answers how it stood last.
pub async fn watch(server: &Server, mut screen: Screen, out: Out<'_>, until: impl Future<Output = ()>) -> Standing {
    let mut standing = Standing::Unreachable;
    let watching = async {
        loop {
            let asked = server.ask().await;
            standing = asked.as_ref().map_or(Standing::Unreachable, Standing::of);
            let proceeds = asked.as_ref().is_ok_and(round_proceeds);
            let shown = screen.show(&asked).map_or(Ok(()), |text| out(&text));
            if shown.is_err() {
                return;
            }
            sleep(PAUSES[usize::from(!proceeds)]).await;
        }
    };
    tokio::select! {
        () = watching => {}
        () = until => {}
    }
    standing
}

/// Whether the silent members of the newest round have had time enough.
fn is_overdue(status: &ServerStatus) -> bool {
    let round = status.round.as_ref();
    round
        .is_some_and(|round| round.summary.silent > 0 && status.time.saturating_sub(round.created) > status.drift_after)
}

fn round_is_faulty(status: &ServerStatus) -> bool {
    let refused = status
        .round
        .as_ref()
        .is_some_and(|round| round.summary.failed + round.summary.vetoed > 0 || round.state == EventState::Expired);
    refused || is_overdue(status)
}

fn round_proceeds(status: &ServerStatus) -> bool {
    let open = status.round.as_ref().is_some_and(|round| !round.is_complete());
    open && !is_overdue(status)
}

#[cfg(test)]
mod tests;
