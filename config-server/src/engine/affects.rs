//! Whom a change touches, by the naming and search-path rules.
//!
//! **Invariant: never guess narrow.** Every application and profile whose sources a change alters is
//! covered; a file that the rules do not know is everybody's. What makes a file be read under
//! another name (imports, included profiles, symbolic links) is not seen here but added by the
//! caller, who knows the trees.

#[cfg(test)]
mod tests;

use contract::{Affects, Scope};

use super::diff::Change;
use super::document::Format;
use super::query::SHARED_APPLICATION;
use super::resolve::Layout;

/// The scopes that may read one of the changed files. What the rules do not decide is everybody.
#[must_use]
pub fn affects(changes: &[Change], layout: &Layout) -> Affects {
    let mut scopes = Vec::new();
    for change in changes {
        match scopes_of(&change.path, layout) {
            Some(found) => scopes.extend(found),
            None => return Affects::All,
        }
    }
    Affects::union(scopes)
}

/// `None` is everybody.
fn scopes_of(path: &str, layout: &Layout) -> Option<Vec<Scope>> {
    match layout {
        Layout::Repository { search_paths, .. } => {
            let patterns = search_paths.iter().map(String::as_str);
            scopes_in(path, std::iter::once("").chain(patterns))
        }
        Layout::Native {
            locations,
            add_label_locations,
        } => {
            let (number, path) = path.split_once('/')?;
            let (_, rest) = Layout::fixed_part(locations.get(number.parse::<usize>().ok()?)?);
            let labelled = add_label_locations.then(|| format!("{rest}/{{label}}"));
            scopes_in(path, std::iter::once(rest).chain(labelled.as_deref()))
        }
    }
}

fn scopes_in<'p>(path: &str, patterns: impl Iterator<Item = &'p str>) -> Option<Vec<Scope>> {
    let (directory, file) = path.rsplit_once('/').unwrap_or(("", path));
    let directory: Vec<&str> = directory.split('/').filter(|name| !name.is_empty()).collect();
    let stem = Format::of(file).and_then(|format| file.strip_suffix(format.extension())?.strip_suffix('.'));
    let mut scopes = Vec::new();
    let mut known = false;
    for pattern in patterns {
        let tokens: Vec<&str> = pattern.split('/').filter(|token| !matches!(*token, "" | ".")).collect();
        let mut reaches = Vec::new();
        Reach::default().through(&tokens, &directory, &mut reaches);
        for reach in reaches {
            let named = stem.map(|stem| reach.scopes_of_file(stem)).unwrap_or_default();
            known |= reach.below.is_empty() && stem.is_some();
            scopes.extend(named);
            // A folder of one application: whatever it holds is that application's.
            if let Some(application) = reach.application.filter(|_| stem.is_none() || !reach.below.is_empty()) {
                known = true;
                scopes.push(Scope::new(Some(&application), None));
            }
        }
    }
    known.then_some(scopes)
}

/// A way a search path leads to a directory, or to one above it.
#[derive(Debug, Clone, Default)]
struct Reach<'d> {
    /// What `{application}` stood for.
    application: Option<String>,
    /// What `{profile}` stood for.
    profile: Option<String>,
    /// The names between the search path's directory and the file's.
    below: &'d [&'d str],
}

impl<'d> Reach<'d> {
    /// Follows the tokens of a search path down `directory`; a placeholder may span several names,
    /// because applications and labels may hold slashes.
    fn through(self, tokens: &[&str], directory: &'d [&'d str], reaches: &mut Vec<Self>) {
        let Some((token, rest)) = tokens.split_first() else {
            reaches.push(Self {
                below: directory,
                ..self
            });
            return;
        };
        let most = directory.len();
        let spans = match *token {
            "**" => 0..=most,
            token if token.contains('{') => 1..=most,
            _ => 1..=most.min(1),
        };
        for span in spans {
            let (taken, left) = directory.split_at(span);
            if let Some(reach) = self.take(token, &taken.join("/")) {
                reach.through(rest, left, reaches);
            }
        }
    }

    fn take(&self, token: &str, taken: &str) -> Option<Self> {
        let mut reach = self.clone();
        let slot = match token {
            "**" => return Some(reach),
            "{application}" => &mut reach.application,
            "{profile}" => &mut reach.profile,
            token => return contract::ant::token_matches(token, taken).then_some(reach),
        };
        let agrees = slot.as_deref().is_none_or(|known| known == taken);
        *slot = Some(taken.to_owned());
        agrees.then_some(reach)
    }

    /// Every way to read `stem` as an application's name, with or without a profile.
    fn scopes_of_file(&self, stem: &str) -> Vec<Scope> {
        let prefix: String = self.below.iter().flat_map(|name| [*name, "/"]).collect();
        let divided = stem
            .match_indices('-')
            .map(|(at, _)| (&stem[..at], Some(&stem[at + 1..])));
        let ways = std::iter::once((stem, None)).chain(divided);
        let sensible = ways.filter(|(name, profile)| !name.is_empty() && *profile != Some(""));
        sensible
            .map(|(name, profile)| self.scope(&format!("{prefix}{name}"), profile))
            .collect()
    }

    fn scope(&self, name: &str, profile: Option<&str>) -> Scope {
        // Both the file's own name and the directory's must be asked for; one of them is enough here.
        let application = if name == SHARED_APPLICATION {
            self.application.as_deref()
        } else {
            Some(name)
        };
        Scope::new(application, self.profile.as_deref().or(profile))
    }
}
