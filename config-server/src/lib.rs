//! The config server: git in, configuration over HTTP out, and an event for every change.
//!
//! Reading order follows the flow: [`settings`] say what to serve; [`git`] brings commits in;
//! [`engine`] (pure) parses, resolves and renders; [`store`] holds what is served now; [`read`] makes
//! answers of it; [`api`] gives them out, [`actuator`] tells how the server does; [`change`] notices
//! what moved and puts it on the bus; [`doors`] wake the refresher; [`serve`] accepts connections;
//! [`app`] composes all of it and owns every task ([`tasks`]). [`compare`] asks another server the same;
//! [`status`] asks a running one how it stands.

pub mod settings;

pub mod engine;
pub mod git;

pub mod store;

pub mod read;

pub mod actuator;
pub mod api;
pub mod change;
pub mod doors;

pub mod app;
pub mod compare;
pub mod serve;
pub mod status;
pub mod tasks;
