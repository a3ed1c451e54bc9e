//! What the actuator looks at.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bus::LinkState;
use prometheus_client::registry::Registry;
use tokio::sync::watch;

use crate::api::authentication::Guard;
use crate::change::Change;
use crate::engine::query;
use crate::read::Reader;
use crate::settings::ManagementSettings;
use crate::settings::serving::HealthSettings;
use crate::store::Store;
use crate::tasks::Tasks;

/// Everything the actuator's routes need.
#[derive(Debug)]
pub struct Actuator {
    pub settings: ManagementSettings,
    pub health: HealthSettings,
    /// The server's own active profiles.
    pub profiles: Vec<String>,
    /// The settings that were written, secrets redacted.
    pub written: Arc<[(String, String)]>,
    pub rules: query::Rules,
    /// Tells who is authorised; everybody where there is no user.
    pub guard: Guard,
    /// Whether a head is there without being asked for: not so with placeholders in the URI.
    pub expects_heads: bool,
    pub store: Arc<Store>,
    pub reader: Arc<Reader>,
    pub change: Arc<Change>,
    /// `None` when nothing is announced.
    pub bus: Option<watch::Receiver<LinkState>>,
    /// How the connection stands on which a broker's members are heard.
    pub hearing: Option<watch::Receiver<LinkState>>,
    pub tasks: Tasks,
    pub registry: Registry,
    pub stopping: Stopping,
}

/// Set when the stop begins, before anything else is done about it.
#[derive(Debug, Clone, Default)]
pub struct Stopping(Arc<AtomicBool>);

impl Stopping {
    pub fn begin(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
