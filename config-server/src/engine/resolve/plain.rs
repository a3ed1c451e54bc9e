//! Plain files: the first location that has the file, profiles before the plain name (contract 1.7).

use std::sync::Arc;

use super::location::locations;
use super::{Found, Layout};
use crate::engine::query::{DEFAULT_PROFILE, Query};
use crate::engine::tree::{Directory, TreePath};

/// Finds the plain file `path` for `query` at `label`: first location first, profiles before the
/// plain name.
#[must_use]
pub fn find_file(root: &Directory, layout: &Layout, label: &str, query: &Query, path: &TreePath) -> Option<Found> {
    let mut locations = locations(root, layout, label, query);
    if matches!(
        layout,
        Layout::Repository {
            reverse_location_order: true,
            ..
        }
    ) {
        locations.found.reverse();
    }
    let names = names(path.as_str(), query);
    locations.found.iter().find_map(|location| {
        names.iter().find_map(|name| {
            let file = location.place.file(name, &mut locations.links)?;
            Some(Found {
                path: location.shelf.path_of(&file.path),
                blob: Arc::clone(file.blob),
            })
        })
    })
}

/// The names a file may have: with each profile in request order, then its own.
fn names(path: &str, query: &Query) -> Vec<String> {
    let name_at = path.rfind('/').map_or(0, |slash| slash + 1);
    let dot = path[name_at..].rfind('.').map_or(path.len(), |dot| name_at + dot);
    let (stem, extension) = path.split_at(dot);
    let for_profile = |profile: &String| match profile.as_str() {
        DEFAULT_PROFILE => path.to_owned(),
        profile => format!("{stem}-{profile}{extension}"),
    };
    let mut names: Vec<String> = query.profiles.iter().map(for_profile).collect();
    names.push(path.to_owned());
    names
}
