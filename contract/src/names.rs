//! The names a request is made of: application, profile, label, and the commit that answers it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a text is not a name of its kind. The offending text is not repeated: it may be hostile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NameError {
    /// The text was empty or blank.
    #[error("a {0} must not be empty")]
    Empty(&'static str),
    /// The text holds something a name of this kind may not hold.
    #[error("a {what} must not contain {held}")]
    Holds {
        /// The kind of name.
        what: &'static str,
        /// What it held.
        held: &'static str,
    },
    /// The text does not look like a name of this kind.
    #[error("a {what} is {shape}")]
    Shape {
        /// The kind of name.
        what: &'static str,
        /// What a good one looks like.
        shape: &'static str,
    },
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $check:path) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                $check(text)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                $check(&text)?;
                Ok(Self(text))
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// One application's name, as an agent gives it: `orders`.
    ///
    /// A request may list several; each is one `AppName`. Spring's vetoes apply
    /// (spring-cloud-config contract 1.2): no `..`, no `#`, no control characters.
    AppName, check_app
}

name! {
    /// One profile: letters, digits and `- _ . + @`, beginning and ending with a letter or digit
    /// (spring-cloud-config contract 1.2, since 4.3.3).
    Profile, check_profile
}

name! {
    /// A branch, tag or commit as the caller named it, with real slashes: `feature/x`.
    ///
    /// In a URL a slash is written `(_)`; that spelling lives in [`Label::from_segment`] and
    /// [`Label::to_segment`] alone.
    Label, check_label
}

name! {
    /// The id of a git commit: 40 (SHA-1) or 64 (SHA-256) lower-case hexadecimal digits.
    CommitId, check_commit
}

impl Label {
    /// Reads a label out of a decoded URL segment, `(_)` meaning `/`.
    ///
    /// # Errors
    /// [`NameError`] when the result is no label.
    pub fn from_segment(segment: &str) -> Result<Self, NameError> {
        segment.replace("(_)", "/").parse()
    }

    /// The label as one URL segment, before percent-encoding.
    #[must_use]
    pub fn to_segment(&self) -> String {
        self.0.replace('/', "(_)")
    }
}

impl Profile {
    /// The names of `profiles` as a server sees them: without any, `default`.
    #[must_use]
    pub fn names(profiles: &[Self]) -> Vec<&str> {
        match profiles {
            [] => vec!["default"],
            profiles => profiles.iter().map(AsRef::as_ref).collect(),
        }
    }
}

impl CommitId {
    /// The first twelve digits, for people.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[..12]
    }
}

fn refuse(what: &'static str, text: &str) -> Result<(), NameError> {
    if text.trim().is_empty() {
        return Err(NameError::Empty(what));
    }
    if text.contains("..") {
        return Err(NameError::Holds { what, held: "`..`" });
    }
    if text.contains('#') {
        return Err(NameError::Holds { what, held: "`#`" });
    }
    if text.chars().any(char::is_control) {
        return Err(NameError::Holds {
            what,
            held: "control characters",
        });
    }
    Ok(())
}

fn check_app(text: &str) -> Result<(), NameError> {
    refuse("application name", text)
}

fn check_label(text: &str) -> Result<(), NameError> {
    refuse("label", text)
}

fn check_profile(text: &str) -> Result<(), NameError> {
    const WHAT: &str = "profile";
    refuse(WHAT, text)?;
    let inner = |c: char| c.is_alphanumeric() || "-_.+@".contains(c);
    let edges = text.starts_with(char::is_alphanumeric) && text.ends_with(char::is_alphanumeric);
    if edges && text.chars().all(inner) {
        return Ok(());
    }
    Err(NameError::Shape {
        what: WHAT,
        shape: "made of letters, digits and `-_.+@`, and begins and ends with a letter or digit",
    })
}

fn check_commit(text: &str) -> Result<(), NameError> {
    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    if matches!(text.len(), 40 | 64) && text.chars().all(hex) {
        return Ok(());
    }
    Err(NameError::Shape {
        what: "commit id",
        shape: "40 or 64 lower-case hexadecimal digits",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_follow_the_veto_of_the_stock_server() {
        for good in ["dev", "d_e.v+1@x", "é", "9"] {
            assert!(good.parse::<Profile>().is_ok(), "{good}");
        }
        for bad in ["", " ", "-dev", "dev-", "de v", "dev(_)x", "a..b", "*", "a#b"] {
            assert!(bad.parse::<Profile>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_label_survives_the_url_spelling_of_its_slashes() {
        let label = Label::from_segment("feature(_)x").expect("a label");
        assert_eq!(label.as_str(), "feature/x");
        assert_eq!(label.to_segment(), "feature(_)x");
        assert!(Label::from_segment("..(_)x").is_err());
    }

    #[test]
    fn commit_ids_are_full_and_lower_case() {
        assert!("f078775b8bce706c0a8fbcb7c7a0eaad397ae01a".parse::<CommitId>().is_ok());
        assert!("F078775b8bce706c0a8fbcb7c7a0eaad397ae01a".parse::<CommitId>().is_err());
        assert!("f078775".parse::<CommitId>().is_err());
    }
}
