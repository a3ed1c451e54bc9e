//! Waiting for a level: something that becomes true and stays so.

use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::{Instant, sleep};

const STEP: Duration = Duration::from_millis(10);

/// Looks again and again until `probe` gives something.
///
/// # Panics
/// When it has not within `deadline`, naming `what` was waited for.
pub async fn eventually<T>(what: &str, deadline: Duration, probe: impl AsyncFnMut() -> Option<T>) -> T {
    match within(what, deadline, probe).await {
        Ok(found) => found,
        Err(late) => panic!("{late}"),
    }
}

/// Looks again and again until `probe` gives something, as [`eventually`] does.
///
/// # Errors
/// When it has not within `deadline`, naming `what` was waited for.
pub async fn within<T>(what: &str, deadline: Duration, mut probe: impl AsyncFnMut() -> Option<T>) -> Result<T> {
    let end = Instant::now() + deadline;
    loop {
        if let Some(found) = probe().await {
            return Ok(found);
        }
        if Instant::now() >= end {
            bail!("not within {deadline:?}: {what}");
        }
        sleep(STEP).await;
    }
}

/// Waits until a condition holds; the deadline comes first, the condition is evaluated again and
/// again: `eventually!(Duration::from_secs(5), hub.subscribers() == 2)`.
#[macro_export]
macro_rules! eventually {
    ($deadline:expr, $condition:expr) => {
        $crate::eventually(stringify!($condition), $deadline, async || ($condition).then_some(())).await
    };
}
