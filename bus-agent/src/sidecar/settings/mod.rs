//! What a sidecar is told: by flags, the environment and a YAML file, in this order of strength.

mod raw;
mod resolve;

pub use raw::{RawOutput, RawSettings, SettingsFileError};
pub use resolve::{Settings, SettingsErrors, resolve};

#[cfg(test)]
mod tests;
