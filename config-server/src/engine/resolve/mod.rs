//! Which documents answer a query, in which order (contract section 2).
//!
//! - `location`: the directories a query looks in
//! - `search`: the candidates of each, in two phases; `entries`: what was taken, and how it ranks;
//!   `import`, `profiles`: what files add
//! - `prepared`: the directives of a file, understood once; `expression`: its conditions
//! - `plain`: files that are served as they are

use std::collections::BTreeSet;
use std::sync::Arc;

use thiserror::Error;

use super::document::{Fault, Limits};
use super::query::Query;
use super::tree::{Blob, Directory};
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

/// What a query resolves to in one snapshot.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Resolved {
    /// Highest precedence first.
    pub sources: Vec<Source>,
    /// Paths (from the root, `/` between names) of every file that was read, active or not, by every
    /// name it was reached: a change of one of them may change the answer.
    pub read: BTreeSet<Arc<str>>,
}

/// A plain file that a path names.
#[derive(Debug, Clone)]
pub struct Found {
    /// Path from the root, links followed.
    pub path: Arc<str>,
    pub blob: Arc<Blob>,
}

/// Why a query has no answer in a snapshot: which file, and what about it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{path}: {fault}")]
pub struct Broken {
    /// Path of the file from the repository's root.
    pub path: Arc<str>,
    /// Reading it, or one of the directives in it, failed here.
    pub fault: Fault,
}

/// Finds the property sources for `query` at `label`, the text that `{label}` stands for.
///
/// # Errors
/// [`Broken`] names the file that cannot be read, or whose activation, include or import is wrong.
pub fn resolve(
    root: &Directory,
    layout: &Layout,
    label: &str,
    query: &Query,
    limits: &Limits,
) -> Result<Resolved, Broken> {
    if query.asks_nothing() {
        return Ok(Resolved::default());
    }
    let locations = locations(root, layout, label, query);
    let mut search = Search::new(query, limits);
    search.run(locations.found, query)?;
    let (sources, mut read) = search.finish();
    read.extend(locations.links);
    Ok(Resolved { sources, read })
}
