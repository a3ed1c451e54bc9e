//! Who is on the bus.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::names::{AppName, NameError, Profile};

/// The name of one member of the bus: `app:profiles:index:unique`, or `app:index:unique` when no
/// profile is active (spring-cloud-bus contract 1.5).
///
/// It is opaque once made, except that destinations match against its tokens. It must not hold the
/// wildcards `* ? { }`, because peers also use it as a pattern.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BusId(String);

impl BusId {
    /// Composes the id of a process the way Spring does, so operators can address both kinds alike.
    #[must_use]
    pub fn compose(application: &AppName, profiles: &[Profile], index: &str) -> Self {
        let unique = Uuid::new_v4().simple();
        let listed: Vec<&str> = profiles.iter().map(Profile::as_str).collect();
        let id = match listed.as_slice() {
            [] | ["default"] => format!("{application}:{index}:{unique}"),
            listed => format!("{application}:{}:{index}:{unique}", listed.join(",")),
        };
        Self(id.replace(['*', '?', '{', '}'], "_"))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The application the id begins with.
    #[must_use]
    pub fn application(&self) -> &str {
        self.0.split(':').next().unwrap_or_default()
    }
}

impl FromStr for BusId {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for BusId {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        if text.trim().is_empty() {
            return Err(NameError::Empty("bus id"));
        }
        if text.contains(['*', '?', '{', '}']) {
            return Err(NameError::Holds {
                what: "bus id",
                held: "wildcards (`* ? { }`)",
            });
        }
        Ok(Self(text))
    }
}

impl From<BusId> for String {
    fn from(id: BusId) -> Self {
        id.0
    }
}

impl fmt::Display for BusId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[&str]) -> Vec<Profile> {
        list.iter().map(|p| p.parse().expect("a profile")).collect()
    }

    #[test]
    fn an_id_has_four_parts_with_profiles_and_three_without() {
        let app: AppName = "orders".parse().expect("a name");
        let with = BusId::compose(&app, &names(&["dev", "eu"]), "8080");
        assert!(with.as_str().starts_with("orders:dev,eu:8080:"));
        let without = BusId::compose(&app, &[], "8080");
        assert_eq!(without.as_str().split(':').count(), 3);
    }

    #[test]
    fn wildcards_are_refused_in_configured_ids() {
        assert!("orders:*:1".parse::<BusId>().is_err());
        assert!("orders:1:a".parse::<BusId>().is_ok());
    }
}
