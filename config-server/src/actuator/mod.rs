//! How the server does: for people, for probes, for collectors of metrics.
//!
//! - [`health`]: Spring's health document, with what each component says of itself
//! - [`environment`]: the settings in effect, sanitised
//! - [`probes`]: `/live`, `/ready` and `/tasks`
//! - [`status`]: everything an operator looks at, on one page
//! - [`metrics`], [`gathered`], [`meters`]: what is counted, what is looked up when it is asked
//!   for, and the two ways it is printed
//! - [`routes`]: what is exposed, by `management.*`

pub mod state;

pub mod environment;
pub mod health;
pub mod probes;
pub mod status;

mod link;

pub mod gathered;
pub mod meters;
pub mod metrics;

pub mod routes;

pub use metrics::Metrics;
pub use state::Actuator;
