//! What a request asks for, after the vetoes.
//!
//! The vetoes are security: a name, label or path that could leave the repository or be read as
//! something else further down is refused before anything is looked up (contract 1.2, 9.3).

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use thiserror::Error;

use super::tree::{PathError, TreePath};

/// The application that every request reads first.
pub const SHARED_APPLICATION: &str = "application";

/// The profile of a request that has none of its own.
pub const DEFAULT_PROFILE: &str = "default";

/// `/` as a URL spells it inside a name or label.
const SLASH: &str = "(_)";

/// Application names and profiles of one request, each checked (contract 1.2).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Query {
    /// As requested, after `(_)` became `/`: the `name` of the answer.
    pub name: String,
    /// The requested applications in rising precedence, without duplicates. Empty when the URL's
    /// place for them was: then the answer has no sources.
    pub applications: Vec<String>,
    /// As requested: the one element of the answer's `profiles`.
    pub profiles_text: String,
    /// The profiles in request order, without duplicates. Empty when the URL's place for them was:
    /// then the answer has no sources.
    pub profiles: Vec<String>,
    /// As requested, after `(_)` became `/`; `None` when the URL had none.
    pub label: Option<String>,
}

/// What the operator lets requests ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// `spring.profiles.validate`
    pub validate_profiles: bool,
    /// `config-bus.limits.applications`
    pub applications: usize,
    /// `config-bus.limits.profiles`
    pub profiles: usize,
}

/// Why a request is refused; each is a 400.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Veto {
    #[error("the {0} goes up")]
    GoesUp(Part),
    #[error("the {0} holds a `#`")]
    Fragment(Part),
    #[error("the {0} begins with a slash")]
    Absolute(Part),
    #[error("the {0} holds a character that none has")]
    Character(Part),
    #[error("the application name holds a `*`")]
    Wildcard,
    #[error("a profile is made of letters, digits and `-_.+@`, and begins and ends with a letter or digit")]
    Profile,
    #[error("the request asks for more than `{limit}` allows ({most})")]
    TooMany { limit: &'static str, most: usize },
    #[error("the file cannot be served: {0}")]
    Path(#[from] PathError),
}

/// The part of a request that a [`Veto`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Name,
    Profile,
    Label,
    Path,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            validate_profiles: true,
            applications: 16,
            profiles: 32,
        }
    }
}

impl Rules {
    /// The settings' names, for messages.
    pub const APPLICATIONS: &'static str = "config-bus.limits.applications";
    pub const PROFILES: &'static str = "config-bus.limits.profiles";
}

impl Query {
    /// Checks the parts of a URL, percent-decoded once.
    ///
    /// # Errors
    /// The first [`Veto`] that applies.
    pub fn new(name: &str, profiles: &str, label: Option<&str>, rules: &Rules) -> Result<Self, Veto> {
        check(Part::Name, name)?;
        if name.contains('*') {
            return Err(Veto::Wildcard);
        }
        check(Part::Profile, profiles)?;
        if rules.validate_profiles {
            check_profiles(profiles)?;
        }
        if let Some(label) = label {
            check(Part::Label, label)?;
        }
        let name = name.replace(SLASH, "/");
        Ok(Self {
            applications: items(&name, rules.applications, Rules::APPLICATIONS)?,
            profiles: items(profiles, rules.profiles, Rules::PROFILES)?,
            name,
            profiles_text: profiles.to_owned(),
            label: label.map(|label| label.replace(SLASH, "/")),
        })
    }

    /// What files are named after, in rising precedence: `application`, then those requested.
    pub fn names(&self) -> impl DoubleEndedIterator<Item = &str> {
        let requested = self.applications.iter().map(String::as_str);
        std::iter::once(SHARED_APPLICATION).chain(requested.filter(|name| *name != SHARED_APPLICATION))
    }

    /// Whether the URL's place for the applications or the profiles was empty (`/foo-.yml`).
    #[must_use]
    pub fn asks_nothing(&self) -> bool {
        self.applications.is_empty() || self.profiles.is_empty()
    }

    /// The path of a plain file, percent-decoded once. `(_)` stands for itself in it (recorded).
    ///
    /// # Errors
    /// The first [`Veto`] that applies.
    pub fn file_path(path: &str) -> Result<TreePath, Veto> {
        check(Part::Path, path)?;
        Ok(TreePath::parse(path)?)
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Name => "application name",
            Self::Profile => "profile",
            Self::Label => "label",
            Self::Path => "path",
        })
    }
}

/// The veto on the text itself, and on what further decoding would make of it.
fn check(part: Part, text: &str) -> Result<(), Veto> {
    check_plainly(part, text)?;
    if text.contains('%') {
        let decoded = decode_as_form(text);
        check_plainly(part, &decoded)?;
        check_plainly(part, &decoded.replace('\\', "/"))?;
    }
    Ok(())
}

fn check_plainly(part: Part, text: &str) -> Result<(), Veto> {
    if text.contains("..") {
        Err(Veto::GoesUp(part))
    } else if text.contains('#') {
        Err(Veto::Fragment(part))
    } else if text.starts_with(SLASH) {
        Err(Veto::Absolute(part))
    } else if text.contains(['\0', '\r', '\n']) {
        Err(Veto::Character(part))
    } else {
        Ok(())
    }
}

/// Forms spell a space as `+`.
fn decode_as_form(text: &str) -> String {
    let spaced: Cow<'_, str> = if text.contains('+') {
        text.replace('+', " ").into()
    } else {
        text.into()
    };
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

fn check_profiles(profiles: &str) -> Result<(), Veto> {
    let fits = |profile: &str| {
        let edge = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        edge(profile.chars().next())
            && edge(profile.chars().next_back())
            && profile.chars().all(|c| c.is_alphanumeric() || "-_.+@".contains(c))
    };
    // `/foo-.yml` asks for no profile at all and gets an empty answer.
    if profiles.is_empty() || profiles.split(',').all(fits) {
        Ok(())
    } else {
        Err(Veto::Profile)
    }
}

fn items(list: &str, most: usize, limit: &'static str) -> Result<Vec<String>, Veto> {
    let mut items: Vec<String> = Vec::new();
    for item in list.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        if !items.iter().any(|known| known == item) {
            items.push(item.to_owned());
        }
        if items.len() > most {
            return Err(Veto::TooMany { limit, most });
        }
    }
    Ok(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(name: &str, profiles: &str, label: Option<&str>) -> Result<Query, Veto> {
        Query::new(name, profiles, label, &Rules::default())
    }

    #[test]
    fn lists_keep_their_order_and_lose_duplicates() {
        let query = query("foo,application,foo,bar", "dev,cloud,dev", None).unwrap();
        assert_eq!(query.names().collect::<Vec<_>>(), ["application", "foo", "bar"]);
        assert_eq!(query.profiles, ["dev", "cloud"]);
        assert_eq!(query.profiles_text, "dev,cloud,dev");
    }

    #[test]
    fn a_bracketed_underscore_is_a_slash_in_name_and_label_only() {
        let query = query("team(_)foo", "dev", Some("feature(_)x")).unwrap();
        assert_eq!(
            (query.name.as_str(), query.label.as_deref()),
            ("team/foo", Some("feature/x"))
        );
        assert_eq!(
            Query::new("foo", "dev(_)x", None, &Rules::default()),
            Err(Veto::Profile)
        );
        assert_eq!(Query::file_path("sub(_)f.txt").unwrap().as_str(), "sub(_)f.txt");
    }

    #[test]
    fn what_could_leave_the_repository_is_refused() {
        for name in ["a..b", "a#", "(_)a", "%2e%2e", "a%23", "..%5cx", "*", "a\0"] {
            assert!(query(name, "dev", None).is_err(), "{name}");
        }
        for label in ["..", "a#b", "(_)x", "%252e", "%2e%2e%2f"] {
            let verdict = query("foo", "dev", Some(label));
            assert_eq!(verdict.is_err(), label != "%252e", "{label}");
        }
        for path in ["../x", "a/%2e%2e/x", "(_)etc", ".git/config", "a#b"] {
            assert!(Query::file_path(path).is_err(), "{path}");
        }
        assert!(query("foo%2Fbar", "dev", None).is_ok());
    }

    #[test]
    fn profiles_are_names() {
        for good in ["dev", "d_e.v+1@x", "é", "dev,cloud", "", "a"] {
            assert!(query("foo", good, None).is_ok(), "{good}");
        }
        for bad in ["dev,", ",dev", "dev,,x", "-dev", "dev-", "de v", "*", "a/b"] {
            assert_eq!(query("foo", bad, None), Err(Veto::Profile), "{bad}");
        }
        let unchecked = Rules {
            validate_profiles: false,
            ..Rules::default()
        };
        assert!(Query::new("foo", "-dev", None, &unchecked).is_ok());
        assert!(Query::new("foo", "..", None, &unchecked).is_err());
    }

    #[test]
    fn a_request_for_too_much_names_the_limit() {
        let many = (0..100).map(|n| format!("p{n}")).collect::<Vec<_>>().join(",");
        let refused = query("foo", &many, None).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "the request asks for more than `config-bus.limits.profiles` allows (32)"
        );
    }
}
