//! Which documents answer a query, in which order (contract section 2).
//!
//! - `location`: the directories a query looks in
//! - `search`: the candidates of each, in two phases; `entries`: what was taken, and how it ranks;
//!   `import`, `profiles`: what files add
//! - `prepared`: the directives of a file, understood once; `expression`: its conditions
//! - `plain`: files that are served as they are

use std::sync::Arc;

use thiserror::Error;

use super::document::{Fault, Limits};
use super::query::Query;
use super::tree::{Blob, Directory, TooManyPlaces};
use super::value::Property;

mod location;

mod entries;
mod import;
mod profiles;
mod search;

mod expression;
mod prepared;

mod plain;

#[cfg(test)]
mod tests;

pub use plain::find_file;
pub use prepared::Prepared;

use location::locations;
use search::Search;

/// Where a backend keeps its files, and how their names are spelt in an answer. The part of a
/// backend's settings that the engine needs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Layout {
    /// A git repository: the root first, then each search path.
    Repository {
        /// Begins every source name; the configured URI, placeholders expanded.
        uri: Arc<str>,
        /// With placeholders and Ant patterns, as configured, in order.
        search_paths: Arc<[String]>,
        /// Plain files: look through the locations in reverse (pre-Hoxton.SR11).
        reverse_location_order: bool,
    },
    /// Directories of the server's disk; the tree's root holds one directory per location, named
    /// `0`, `1`, ... in configured order.
    Native {
        /// As configured, placeholders unexpanded: `file:/etc/config/{application}/`.
        locations: Arc<[String]>,
        /// Also look into a directory named like the label in each location.
        add_label_locations: bool,
    },
}

/// One property source of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    pub name: Arc<str>,
    pub properties: Arc<[Property]>,
}

/// A plain file that a path names.
#[derive(Debug, Clone)]
pub struct Found {
    /// Where it stands, links followed, for messages.
    pub path: Arc<str>,
    pub blob: Arc<Blob>,
}

/// Why a query has no answer in a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Broken {
    /// Reading a file, or one of the directives in it, failed.
    #[error("{path}: {fault}")]
    File {
        /// From the repository's root, or from the search location that is named first.
        path: Arc<str>,
        fault: Fault,
    },
    /// A search path cannot be searched.
    #[error("the search path `{0}` {1}")]
    SearchPath(String, TooManyPlaces),
}

impl Source {
    /// The name of the source whose values come from the server's own settings; clients rank it above
    /// everything (contract 1.4, 2.7).
    pub const OVERRIDES: &'static str = "overrides";
}

impl Broken {
    /// Whether a limit was passed, and nothing is wrong otherwise.
    #[must_use]
    pub fn is_limit(&self) -> bool {
        match self {
            Self::File { fault, .. } => fault.limit.is_some(),
            Self::SearchPath(..) => true,
        }
    }
}

/// Finds the property sources for `query` at `label`, the text that `{label}` stands for; highest
/// precedence first.
///
/// # Errors
/// [`Broken`] names the file that cannot be read, or whose activation, include or import is wrong,
/// or the search path that cannot be searched.
pub fn resolve(
    root: &Directory,
    layout: &Layout,
    label: &str,
    query: &Query,
    limits: &Limits,
) -> Result<Vec<Source>, Broken> {
    if query.asks_nothing() {
        return Ok(Vec::new());
    }
    let locations = locations(root, layout, label, query, limits)?;
    let mut search = Search::new(query, limits);
    search.run(locations, query)?;
    Ok(search.into_sources())
}
