//! What the operator wants, by Spring's own names (contract section 8) and `config-bus.*`.
//!
//! One struct per concern; each is all-present and typed. Reading, defaults and complaints live in
//! the sibling modules; nothing below `main` reads the environment.

pub mod arguments;
pub mod load;

pub mod backend;
pub mod bus;
pub mod change;
pub mod encrypt;
pub mod http;
pub mod management;
pub mod monitor;
pub mod secret;
pub mod serving;

mod testing;

use std::sync::Arc;

pub use arguments::Arguments;
pub use backend::{Backend, GitSettings, NativeSettings};
pub use bus::BusSettings;
pub use change::ChangeSettings;
pub use encrypt::EncryptSettings;
pub use http::HttpSettings;
pub use load::{Sources, load};
pub use management::ManagementSettings;
pub use monitor::MonitorSettings;
pub use serving::ServingSettings;

/// All of it.
#[derive(Debug, Clone)]
pub struct Settings {
    pub backend: Backend,
    pub http: HttpSettings,
    pub change: ChangeSettings,
    pub encrypt: EncryptSettings,
    pub bus: BusSettings,
    pub serving: ServingSettings,
    pub management: ManagementSettings,
    pub monitor: MonitorSettings,
    pub log: LogFormat,
    /// The active profiles, in order.
    pub profiles: Vec<String>,
    /// Every setting that was written, by its full name, secrets redacted: what `/actuator/env` tells.
    pub shown: Arc<[(String, String)]>,
}

/// `config-bus.log.format`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}
