//! What `spring.config.import` names (contract 2.3).

use super::location::{Location, lexical};
use crate::engine::document::{Format, Limits};
use crate::engine::tree::TooManyPlaces;

/// Something to load: every configuration file of a directory, or one file and its profile variants.
#[derive(Debug, Clone)]
pub(super) enum Target<'t> {
    Directory(Location<'t>),
    File(FileTarget<'t>),
}

#[derive(Debug, Clone)]
pub(super) struct FileTarget<'t> {
    /// The file's directory.
    pub(super) location: Location<'t>,
    /// The name up to where a profile is put in.
    pub(super) stem: String,
    /// What follows, with its dot; empty for `name[.yml]`, which names a file without extension.
    pub(super) extension: &'static str,
    pub(super) format: Format,
}

/// The targets of one import, seen from a file in `from`. Alternatives are divided by `;`. What
/// lies outside the tree, or is no file of this kind, is no target.
///
/// # Errors
/// [`TooManyPlaces`] for a pattern that passes `limits`.
pub(super) fn targets<'t>(
    import: &str,
    from: &Location<'t>,
    limits: &Limits,
) -> Result<Vec<Target<'t>>, TooManyPlaces> {
    let mut targets = Vec::new();
    for part in import.split(';').map(str::trim) {
        if !part.ends_with("/*/") {
            targets.extend(target(part, from));
            continue;
        }
        // `config/*/`: every directory in `config`, by name.
        let pattern = part.strip_prefix("optional:").unwrap_or(part);
        let directories = from.place.matching(pattern, limits)?;
        let found = directories.iter().filter_map(|path| target(&format!("{path}/"), from));
        targets.extend(found);
    }
    Ok(targets)
}

fn target<'t>(text: &str, from: &Location<'t>) -> Option<Target<'t>> {
    let text = text.strip_prefix("optional:").unwrap_or(text);
    let text = text.strip_prefix("resource:").unwrap_or(text);
    if text.is_empty() || text.starts_with('/') || has_scheme(text) {
        return None;
    }
    if text.ends_with('/') {
        return location(text, from).map(Target::Directory);
    }
    let (directory, file) = text.rsplit_once('/').unwrap_or(("", text));
    let (stem, extension, format) = match hint(file) {
        Some((stem, format)) => (stem, "", format),
        None => {
            let format = Format::of(file)?;
            let extension = dotted(format);
            (file.strip_suffix(extension)?, extension, format)
        }
    };
    Some(Target::File(FileTarget {
        location: location(directory, from)?,
        stem: stem.to_owned(),
        extension,
        format,
    }))
}

fn location<'t>(directory: &str, from: &Location<'t>) -> Option<Location<'t>> {
    let place = from.place.directory(directory)?;
    let path = lexical(&from.path_to(directory));
    // Over a link the real way may stay inside where the written one does not.
    (!path.starts_with("..")).then(|| Location {
        shelf: from.shelf.clone(),
        path,
        place,
    })
}

/// `name[.yml]`: a file called `name`, read as YAML.
fn hint(file: &str) -> Option<(&str, Format)> {
    let (stem, hint) = file.strip_suffix(']')?.rsplit_once('[')?;
    Format::RISING
        .into_iter()
        .find(|format| dotted(*format) == hint)
        .map(|format| (stem, format))
}

/// `classpath:`, `configtree:`, `file:`: never inside the tree.
fn has_scheme(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.*".contains(c))
    })
}

pub(super) fn dotted(format: Format) -> &'static str {
    match format {
        Format::Yaml => ".yaml",
        Format::Yml => ".yml",
        Format::Xml => ".xml",
        Format::Properties => ".properties",
    }
}
