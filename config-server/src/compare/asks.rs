//! What both servers are asked for.

use contract::headers::ENVIRONMENT_V2;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::inventory::Inventory;
use crate::engine::document::Format;

/// What stands in a segment as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b',')
    .remove(b'(')
    .remove(b')');

const ANYTHING: &str = "*/*";

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ask {
    /// Below the base URL, without a slash in front.
    pub(super) path: String,
    pub(super) accept: &'static str,
    pub(super) compared: Compared,
}

/// How the answers are held against one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compared {
    /// Property sources: member order and number spelling count.
    Environment,
    Bytes,
    /// Placeholders are resolved in it, which later lines of the stock server do otherwise than
    /// earlier ones: what a client reads counts, not how it is quoted.
    Read,
}

/// Every application with every profile in every form, and every plain file once.
pub(super) fn of(inventory: &Inventory, label: Option<&str>) -> Vec<Ask> {
    let label = label.map(|label| segment(&label.replace('/', "(_)")));
    let mut asks = Vec::new();
    for (application, profiles) in inventory.applications() {
        for profile in profiles {
            asks.extend(environments(application, profile, label.as_deref()));
        }
    }
    if let Some(label) = &label {
        asks.extend(
            inventory
                .files
                .iter()
                .filter(|path| is_plain(path))
                .map(|path| file(label, path)),
        );
    }
    asks
}

fn environments(application: &str, profile: &str, label: Option<&str>) -> Vec<Ask> {
    let (name, profile) = (segment(application), segment(profile));
    let after = label.map(|label| format!("/{label}")).unwrap_or_default();
    let before = label.map(|label| format!("{label}/")).unwrap_or_default();
    let environment = |accept| Ask {
        path: format!("{name}/{profile}{after}"),
        accept,
        compared: Compared::Environment,
    };
    let merged = |rest: &str, compared| Ask {
        path: format!("{before}{name}-{profile}.{rest}"),
        accept: ANYTHING,
        compared,
    };
    let mut asks = vec![environment("application/json"), environment(ENVIRONMENT_V2)];
    // The last hyphen of a file form divides it, so such a profile cannot be asked for.
    if !profile.contains('-') {
        asks.extend([
            merged("yml?resolvePlaceholders=false", Compared::Bytes),
            merged("json?resolvePlaceholders=false", Compared::Bytes),
            merged("properties?resolvePlaceholders=false", Compared::Bytes),
            merged("properties", Compared::Bytes),
            merged("yml", Compared::Read),
            merged("json", Compared::Read),
        ]);
    }
    asks
}

fn file(label: &str, path: &str) -> Ask {
    let path: Vec<String> = path.split('/').map(segment).collect();
    Ask {
        path: format!("application/default/{label}/{}", path.join("/")),
        accept: ANYTHING,
        compared: Compared::Bytes,
    }
}

/// Configuration files are asked for as configuration.
fn is_plain(path: &str) -> bool {
    Format::of(path).is_none()
}

fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::tree::TreeBuilder;

    #[test]
    fn every_form_is_asked_for_with_the_label_where_it_belongs() {
        let mut builder = TreeBuilder::default();
        for path in ["application.yml", "a b/ü.txt"] {
            builder.file(path, "", None).expect("a path");
        }
        let mut inventory = Inventory::default();
        inventory.add(&builder.build());
        let asks = of(&inventory, Some("feature/x"));
        let paths: Vec<&str> = asks.iter().map(|ask| ask.path.as_str()).collect();
        for path in [
            "application/default/feature(_)x",
            "feature(_)x/application-default.yml",
            "a%20b/default/feature(_)x",
            "application/default/feature(_)x/a%20b/%C3%BC.txt",
        ] {
            assert!(paths.contains(&path), "{path} not in {paths:?}");
        }
    }
}
