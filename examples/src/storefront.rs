//! The sample service's configuration: `storefront.yml` and what it shares with the others.

use serde::Deserialize;

/// What the storefront needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Storefront {
    /// Shown on the first page.
    pub greeting: String,
    /// Articles on one page.
    pub page_size: u32,
    /// Articles shown first.
    #[serde(default)]
    pub featured: Vec<String>,
}
