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
    /// The longest window over which agents spread their fetches; it grows with their number.
    pub spread: Duration,
    /// Whether a shutdown event that names this server ends it.
    pub shutdown_events: bool,
    /// How long an operator's event may wait in the outbox.
    pub expiry: Duration,
    /// How many delivery reports are kept.
    pub reports_kept: usize,
    /// An agent not heard of for this long is no longer expected to answer.
    pub agent_ttl: Duration,
    /// Agents of one application on different configurations for longer than this have drifted.
    pub drift_after: Duration,
}

impl ChangeSettings {
    /// The member `bus_id`, nothing kept on disk, everything else at its default.
    #[must_use]
    pub fn new(bus_id: BusId) -> Self {
        Self {
            bus_id,
            database: None,
            spread: Duration::from_secs(10),
            shutdown_events: false,
            expiry: Duration::from_secs(24 * 3600),
            reports_kept: 200,
            agent_ttl: Duration::from_secs(10 * 60),
            drift_after: Duration::from_secs(2 * 60),
        }
    }
}
