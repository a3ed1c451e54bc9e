//! Whom a change touches.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// `*` in either place of a [`Scope`].
const ANY: &str = "*";

/// Applications and profiles that a changed file is read by: `orders/dev`, `orders/*`, `*/dev`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Scope {
    application: Option<String>,
    profile: Option<String>,
}

/// The union of scopes a change touches. What is not known is everybody: never guess narrow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Scope>", into = "Vec<Scope>")]
pub enum Affects {
    /// Everybody.
    All,
    /// Only these. Empty means nobody: the commit touched no configuration.
    Scopes(BTreeSet<Scope>),
}

impl Scope {
    /// A scope; `None` means any.
    #[must_use]
    pub fn new(application: Option<&str>, profile: Option<&str>) -> Self {
        let known = |name: &str| (name != ANY).then(|| name.to_owned());
        Self {
            application: application.and_then(known),
            profile: profile.and_then(known),
        }
    }

    /// Whether an agent of `applications` with `profiles` is inside.
    #[must_use]
    pub fn covers(&self, applications: &[&str], profiles: &[&str]) -> bool {
        let within = |wanted: &Option<String>, own: &[&str]| wanted.as_deref().is_none_or(|name| own.contains(&name));
        within(&self.application, applications) && within(&self.profile, profiles)
    }

    fn is_everybody(&self) -> bool {
        self.application.is_none() && self.profile.is_none()
    }
}

impl Affects {
    /// The union of `scopes`, collapsed to [`Affects::All`] when one of them is everybody.
    #[must_use]
    pub fn union(scopes: impl IntoIterator<Item = Scope>) -> Self {
        let scopes: BTreeSet<Scope> = scopes.into_iter().collect();
        if scopes.iter().any(Scope::is_everybody) {
            Self::All
        } else {
            Self::Scopes(scopes)
        }
    }

    /// Whether an agent of `applications` with `profiles` is touched.
    #[must_use]
    pub fn covers(&self, applications: &[&str], profiles: &[&str]) -> bool {
        match self {
            Self::All => true,
            Self::Scopes(scopes) => scopes.iter().any(|scope| scope.covers(applications, profiles)),
        }
    }

    /// The text of the `x-config-bus-affects` header: `*`, or scopes joined with `,`. Longer than
    /// `limit` bytes it is `*`, so that a notice stays small.
    #[must_use]
    pub fn to_header(&self, limit: usize) -> String {
        let Self::Scopes(scopes) = self else {
            return ANY.to_owned();
        };
        let text = scopes.iter().map(Scope::to_string).collect::<Vec<_>>().join(",");
        if text.len() > limit { ANY.to_owned() } else { text }
    }

    /// Reads the header; what cannot be read is everybody.
    #[must_use]
    pub fn from_header(text: &str) -> Self {
        if text == ANY {
            return Self::All;
        }
        let parsed: Result<Vec<Scope>, _> = text.split(',').filter(|s| !s.is_empty()).map(str::parse).collect();
        parsed.map_or(Self::All, Self::union)
    }
}

impl From<Vec<Scope>> for Affects {
    fn from(scopes: Vec<Scope>) -> Self {
        Self::union(scopes)
    }
}

impl From<Affects> for Vec<Scope> {
    fn from(affects: Affects) -> Self {
        match affects {
            Affects::All => vec![Scope::new(None, None)],
            Affects::Scopes(scopes) => scopes.into_iter().collect(),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |name: &Option<String>| name.as_deref().map_or(ANY.to_owned(), escape);
        write!(f, "{}/{}", part(&self.application), part(&self.profile))
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (application, profile) = text
            .split_once('/')
            .ok_or_else(|| "a scope is `application/profile`".to_owned())?;
        let part = |name: &str| if name == ANY { None } else { Some(unescape(name)) };
        Ok(Self {
            application: part(application),
            profile: part(profile),
        })
    }
}

impl TryFrom<String> for Scope {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.to_string()
    }
}

fn escape(name: &str) -> String {
    name.replace('%', "%25").replace('/', "%2F").replace(',', "%2C")
}

fn unescape(name: &str) -> String {
    name.replace("%2C", ",").replace("%2F", "/").replace("%25", "%")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_scope_covers_by_application_and_profile() {
        let shared_dev = Scope::new(None, Some("dev"));
        assert!(shared_dev.covers(&["orders"], &["dev", "eu"]));
        assert!(!shared_dev.covers(&["orders"], &["prod"]));
        let orders = Scope::new(Some("orders"), None);
        assert!(orders.covers(&["orders"], &["prod"]));
        assert!(!orders.covers(&["stock"], &["prod"]));
    }

    #[test]
    fn nobody_and_everybody_are_different() {
        assert!(!Affects::union([]).covers(&["orders"], &["dev"]));
        assert!(Affects::All.covers(&["orders"], &["dev"]));
        assert_eq!(Affects::union([Scope::new(None, None)]), Affects::All);
        assert_eq!(Affects::from_header("").to_header(10), "");
    }

    #[test]
    fn a_list_too_long_for_a_header_becomes_everybody() {
        let many = Affects::union((0..100).map(|n| Scope::new(Some(&format!("app{n}")), None)));
        assert_eq!(many.to_header(50), "*");
        assert_eq!(Affects::from_header("no-slash"), Affects::All);
    }

    proptest! {
        #[test]
        fn a_header_reads_back_as_what_was_written(names in proptest::collection::vec("[a-z/,%]{1,8}", 0..5)) {
            let affects = Affects::union(names.iter().map(|n| Scope::new(Some(n), Some("dev"))));
            prop_assert_eq!(Affects::from_header(&affects.to_header(10_000)), affects);
        }
    }
}
