//! A repository's address with `{application}`, `{profile}` and `{label}` in it. Pure.
//!
//! The values come from strangers. **Invariant: they only ever name something below the part of the
//! path that the operator wrote**: never a host, a port, credentials, a parent, a query or a fragment
//! (CVE-2026-22739 of the stock server).

use thiserror::Error;

use crate::git::Remote;

/// The placeholders of an address.
const PLACEHOLDERS: [&str; 3] = ["{application}", "{profile}", "{label}"];

/// Longest value that is put into an address.
const LONGEST: usize = 200;

/// An address that has to be completed for each request.
#[derive(Clone)]
pub(super) struct Template(String);

/// Why an address cannot have placeholders where it has them.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TemplateError {
    #[error("placeholders may stand in the path of a repository's address only, never in its scheme, host or port")]
    Place,
    #[error("only {{application}}, {{profile}} and {{label}} can stand in a repository's address")]
    Name,
}

/// Why a request's values do not complete an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the {0} cannot be part of a repository's address")]
pub(super) struct Refused(&'static str);

impl Template {
    /// Whether an address is one.
    pub(super) fn is_one(uri: &str) -> bool {
        uri.contains(['{', '}'])
    }

    pub(super) fn new(uri: &str) -> Result<Self, TemplateError> {
        let path = &uri[path_start(uri)..];
        if Self::is_one(&uri[..path_start(uri)]) || path.trim_start_matches('/').is_empty() {
            return Err(TemplateError::Place);
        }
        let bare = PLACEHOLDERS
            .iter()
            .fold(path.to_owned(), |path, name| path.replace(name, ""));
        if Self::is_one(&bare) {
            return Err(TemplateError::Name);
        }
        // `{label}` alone would make a value the whole path of a local repository.
        let probe = PLACEHOLDERS
            .iter()
            .fold(uri.to_owned(), |uri, name| uri.replace(name, "x"));
        if path.starts_with('{') && uri.len() == path.len() || Remote::parse(&probe).is_err() {
            return Err(TemplateError::Place);
        }
        Ok(Self(uri.to_owned()))
    }

    /// The address for one request. A trailing slash goes, as in the stock server.
    pub(super) fn complete(&self, application: &str, profile: &str, label: &str) -> Result<String, Refused> {
        let mut uri = self.0.clone();
        let values = [
            ("{application}", application, "application"),
            ("{profile}", profile, "profile"),
            ("{label}", label, "label"),
        ];
        for (placeholder, value, what) in values {
            if uri.contains(placeholder) {
                if !is_plain(value) {
                    return Err(Refused(what));
                }
                uri = uri.replace(placeholder, value);
            }
        }
        Ok(uri.trim_end_matches('/').to_owned())
    }
}

/// Where the path of an address begins.
fn path_start(uri: &str) -> usize {
    if let Some(rest) = uri.strip_prefix("file:") {
        return uri.len() - rest.trim_start_matches('/').len();
    }
    if let Some(scheme) = uri.find("://") {
        let authority = scheme + "://".len();
        return uri[authority..].find('/').map_or(uri.len(), |slash| authority + slash);
    }
    match uri.split_once(':') {
        Some((host, _)) if !host.contains('/') => host.len() + 1,
        _ => 0,
    }
}

/// Names made of ordinary characters, with single slashes between them.
fn is_plain(value: &str) -> bool {
    let ordinary = |c: char| c.is_ascii_alphanumeric() || "-_.+,~".contains(c);
    value.len() <= LONGEST
        && value
            .split('/')
            .all(|name| name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(ordinary))
        && !value.contains("..")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn complete(uri: &str, application: &str) -> Option<String> {
        let template = Template::new(uri).expect("a template");
        template.complete(application, "dev", "main").ok()
    }

    #[test]
    fn placeholders_are_completed() {
        assert_eq!(
            complete("https://h/{application}.git", "foo"),
            Some("https://h/foo.git".into())
        );
        assert_eq!(
            complete("https://h/{application}/", "team/foo"),
            Some("https://h/team/foo".into())
        );
        assert_eq!(
            complete("git@h:{application}/{profile}", "foo"),
            Some("git@h:foo/dev".into())
        );
        assert_eq!(complete("file:///srv/{label}", "foo"), Some("file:///srv/main".into()));
        assert_eq!(complete("/srv/{application}", "foo"), Some("/srv/foo".into()));
    }

    #[test]
    fn placeholders_stand_in_the_path_or_not_at_all() {
        for uri in [
            "https://{application}/x",
            "https://h:{profile}/x",
            "{application}://h/x",
            "{application}@h:x",
            "https://{label}",
            "{application}",
        ] {
            assert_eq!(Template::new(uri).map(|_| ()), Err(TemplateError::Place), "{uri}");
        }
        assert_eq!(Template::new("https://h/{app}").map(|_| ()), Err(TemplateError::Name));
    }

    #[test]
    fn values_that_lead_elsewhere_are_refused() {
        for value in [
            "..",
            "a/../b",
            "/etc",
            "a//b",
            "a@h",
            "a:1",
            "a?x",
            "a#x",
            "a%2e",
            "a\\b",
            "",
            ".git",
            "-x",
            "a b",
            "é",
            &"x".repeat(201),
        ] {
            assert!(complete("https://h/{application}", value).is_none(), "{value}");
        }
    }

    proptest! {
        #[test]
        fn no_value_changes_the_host_or_leaves_the_path(value in ".{0,24}") {
            if let Some(uri) = complete("https://git.example:8443/base/{application}/x", &value) {
                let url: url::Url = uri.parse().expect("a URL");
                prop_assert_eq!(url.host_str(), Some("git.example"));
                prop_assert_eq!(url.port(), Some(8443));
                prop_assert!(url.path().starts_with("/base/"));
                prop_assert!(url.query().is_none() && url.fragment().is_none() && url.username().is_empty());
            }
        }
    }
}
