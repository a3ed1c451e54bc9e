//! Plain files: the first location that has the file, profiles before the plain name (contract 1.7).

use std::sync::Arc;

use super::location::locations;
use super::{Broken, Found, Layout};
use crate::engine::document::Limits;
use crate::engine::query::{DEFAULT_PROFILE, Query};
use crate::engine::tree::{Directory, TreePath};

/// Finds the plain file `path` for `query` at `label`: first location first, profiles before the
/// plain name.
///
/// # Errors
/// [`Broken::SearchPath`] for a search path whose pattern passes `limits`.
pub fn find_file(
    root: &Directory,
    layout: &Layout,
    label: &str,
    query: &Query,
    path: &TreePath,
    limits: &Limits,
) -> Result<Option<Found>, Broken> {
    let mut locations = locations(root, layout, label, query, limits)?;
    if matches!(
        layout,
        Layout::Repository {
            reverse_location_order: true,
            ..
        }
    ) {
        locations.reverse();
    }
    let names = names(path.as_str(), query);
    let found = locations.iter().find_map(|location| {
        names.iter().find_map(|name| {
            let file = location.place.file(name)?;
            Some(Found {
                path: location.shelf.path_of(&file.path),
                blob: Arc::clone(file.blob),
            })
        })
    });
    Ok(found)
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
