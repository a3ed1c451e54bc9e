//! What happens when a head moves: the log, the outbox, the bus.

use std::path::PathBuf;
use std::time::Duration;

use contract::BusId;

/// `spring.cloud.bus.*`, `config-bus.*`
#[derive(Debug, Clone)]
pub struct ChangeSettings {
    /// This server's name on the bus.
    pub bus_id: BusId,
    /// The one file of state; `None` keeps it in memory (tests).
    pub database: Option<PathBuf>,
    /// Window over which agents spread their fetches.
    pub spread: Duration,
    /// How long an operator's event may wait in the outbox.
    pub expiry: Duration,
    /// How many delivery reports are kept.
    pub reports_kept: usize,
    /// An agent not heard of for this long is no longer expected to answer.
    pub agent_ttl: Duration,
}
