//! Whom an event is meant for.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ant;
use crate::bus_id::BusId;

/// A pattern over bus ids with `:` between tokens: `**`, `orders:**`, `orders:dev:**`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Destination(String);

impl Destination {
    /// Everybody.
    #[must_use]
    pub fn everyone() -> Self {
        Self("**".to_owned())
    }

    /// What a sender makes of an operator's text: with at most one `:` and no `:**` at the end,
    /// `:**` is appended (spring-cloud-bus contract 1.3). `None` means everybody.
    #[must_use]
    pub fn normalised(given: Option<&str>) -> Self {
        match given {
            None | Some("**") => Self::everyone(),
            Some(text) if text.matches(':').count() <= 1 && !text.ends_with(":**") => Self(format!("{text}:**")),
            Some(text) => Self(text.to_owned()),
        }
    }

    /// The pattern as it came over the wire, taken as it is.
    #[must_use]
    pub fn received(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The pattern as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the member `id` is meant (spring-cloud-bus contract 1.4).
    ///
    /// A blank pattern means everybody. When the second token of the id lists several profiles,
    /// each is tried alone; `names` are further application names of the member, tried in place of
    /// the first token.
    #[must_use]
    pub fn matches(&self, id: &BusId, names: &[&str]) -> bool {
        if self.0.trim().is_empty() {
            return true;
        }
        let own = id.as_str();
        if self.matches_one(own) {
            return true;
        }
        let tail = own.find(':').map_or("", |at| &own[at..]);
        names.iter().any(|name| self.matches_one(&format!("{name}{tail}")))
    }

    fn matches_one(&self, id: &str) -> bool {
        if ant::matches(&self.0, id, ':') {
            return true;
        }
        let mut tokens: Vec<&str> = id.split(':').collect();
        let Some(profiles) = tokens.get(1).copied().filter(|p| p.contains(',')) else {
            return false;
        };
        profiles.split(',').any(|profile| {
            tokens[1] = profile;
            ant::matches(&self.0, &tokens.join(":"), ':')
        })
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn senders_append_the_wildcard_as_spring_does() {
        for (given, sent) in [
            ("orders", "orders:**"),
            ("orders:dev", "orders:dev:**"),
            ("orders:*", "orders:*:**"),
            ("orders:**", "orders:**"),
            ("orders:8080:abc", "orders:8080:abc"),
            ("*", "*:**"),
            ("orders*", "orders*:**"),
            ("", ":**"),
            ("**", "**"),
        ] {
            assert_eq!(Destination::normalised(Some(given)).as_str(), sent, "{given:?}");
        }
        assert_eq!(Destination::normalised(None).as_str(), "**");
    }

    #[test]
    fn receivers_match_as_the_recorded_table_says() {
        for (pattern, id, expected) in [
            ("**", "orders:8080:abc", true),
            ("*:**", "orders", true),
            ("orders:**", "orders", true),
            ("orders:**", "orders2:1:a", false),
            ("ORDERS:**", "orders:1:a", false),
            ("**:abc", "orders:8080:abc", true),
            ("orders**", "orders:8080:abc", false),
            ("orders:*", "orders:8080:abc", false),
            ("orders:*:*", "orders:8080:abc", true),
            ("orders:dev:8080", "orders:dev:8080:abc", false),
            ("orders:dev:8080:**", "orders:dev:8080:abc", true),
            ("orders:cloud:**", "orders:dev,cloud:80:a", true),
            ("orders:prod:**", "orders:dev,cloud:80:a", false),
            ("orders::8080:abc", "orders:8080:abc", true),
            ("o?ders:**", "orders:1:a", true),
            (":**", "orders:1:a", false),
            ("", "orders:1:a", true),
        ] {
            let id: BusId = id.parse().expect("an id");
            assert_eq!(
                Destination::received(pattern).matches(&id, &[]),
                expected,
                "{pattern} on {id}"
            );
        }
    }

    #[test]
    fn further_names_of_a_member_are_tried_too() {
        let id: BusId = "orders:dev:8080:a".parse().expect("an id");
        let three = Destination::normalised(Some("three"));
        assert!(!three.matches(&id, &[]));
        assert!(three.matches(&id, &["one", "three"]));
    }
}
