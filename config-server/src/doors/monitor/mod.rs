//! `POST /monitor`: the webhooks of git servers (contract section 6).
//!
//! - [`call`]: what came in, read as a form or as JSON
//! - [`secret`]: whether the caller may come in
//! - [`provider`]: who calls, and which paths it says have changed
//! - [`target`]: from a path to the names of applications that may read it
//!
//! All of it is pure; the route is `api::bus::monitor`.

pub mod call;
pub mod provider;
pub mod secret;
pub mod target;

pub use call::{Call, Unreadable};

use crate::settings::MonitorSettings;

/// The names of the applications that a call says are touched, in the order and spelling of the
/// stock server's answer. Empty when the call is of no known kind.
///
/// # Errors
/// [`Unreadable`] when the body is neither a form with a path nor a JSON object.
pub fn targets(call: &Call<'_>, settings: &MonitorSettings) -> Result<Vec<String>, Unreadable> {
    let told = call.read()?;
    Ok(target::of_paths(provider::paths(&told, settings)))
}

#[cfg(test)]
mod tests;
