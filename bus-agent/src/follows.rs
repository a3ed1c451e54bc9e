//! Whose configuration an agent follows.

use contract::{AppName, BusId, Label, Notice, Profile};

/// What an agent asks for, and who it is on the bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Follows {
    /// The application, or several joined with `,`.
    pub application: AppName,
    /// The profiles in order; none means `default`.
    pub profiles: Vec<Profile>,
    /// The label, or several joined with `,`; `None` is the server's default.
    pub label: Option<Label>,
    /// The agent's name on the bus.
    pub bus_id: BusId,
}

impl Follows {
    /// Follows `application` with `profiles`, under a fresh name on the bus.
    #[must_use]
    pub fn new(application: AppName, profiles: Vec<Profile>, label: Option<Label>) -> Self {
        let bus_id = BusId::compose(&application, &profiles, "agent");
        Self {
            application,
            profiles,
            label,
            bus_id,
        }
    }

    /// The application names, one by one.
    #[must_use]
    pub fn applications(&self) -> Vec<&str> {
        listed(self.application.as_str())
    }

    /// The profile names as the server sees them: never empty.
    #[must_use]
    pub fn profile_names(&self) -> Vec<&str> {
        Profile::names(&self.profiles)
    }

    /// Whether `notice` asks this agent to look. `served` is the label the server said it serves;
    /// while it is not known which label that is, every label counts.
    #[must_use]
    pub fn is_meant_by(&self, notice: &Notice, served: Option<&Label>) -> bool {
        self.knows_label(&notice.label, served) != Some(false)
            && notice.affects.covers(&self.applications(), &self.profile_names())
    }

    /// Whether `label` is followed; `None` when that is not known.
    #[must_use]
    pub fn knows_label(&self, label: &Label, served: Option<&Label>) -> Option<bool> {
        let among = |names: &Label| listed(names.as_str()).contains(&label.as_str());
        if self.label.as_ref().is_some_and(among) || served.is_some_and(among) {
            return Some(true);
        }
        match (&self.label, served) {
            (None, None) => None,
            // The server falls back from `main` to `master` (spring-cloud-config contract 2.6).
            (Some(own), None) if own.as_str() == "main" && label.as_str() == "master" => None,
            _ => Some(false),
        }
    }
}

fn listed(names: &str) -> Vec<&str> {
    names
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use contract::{Affects, Scope};

    use super::*;

    fn follows(label: Option<&str>) -> Follows {
        let label = label.map(|label| label.parse().expect("a label"));
        Follows::new("orders,stock".parse().expect("a name"), vec![], label)
    }

    fn notice(label: &str, affects: Affects) -> Notice {
        Notice {
            label: label.parse().expect("a label"),
            from: None,
            to: "a".repeat(40).parse().expect("a commit"),
            affects,
            spread_millis: 0,
            report_spread_millis: 0,
            moved: None,
        }
    }

    #[test]
    fn a_notice_for_another_label_is_not_meant() {
        assert!(follows(Some("main")).is_meant_by(&notice("main", Affects::All), None));
        assert!(follows(Some("dev,main")).is_meant_by(&notice("main", Affects::All), None));
        assert!(!follows(Some("dev")).is_meant_by(&notice("main", Affects::All), None));
        assert!(follows(Some("main")).is_meant_by(&notice("master", Affects::All), None));
    }

    #[test]
    fn without_a_label_every_label_counts_until_the_server_says_which() {
        let served: Label = "trunk".parse().expect("a label");
        assert!(follows(None).is_meant_by(&notice("main", Affects::All), None));
        assert!(!follows(None).is_meant_by(&notice("main", Affects::All), Some(&served)));
        assert!(follows(None).is_meant_by(&notice("trunk", Affects::All), Some(&served)));
    }

    #[test]
    fn scopes_are_read_with_every_application_name_and_the_default_profile() {
        let of = |application, profile| Affects::union([Scope::new(application, profile)]);
        assert!(follows(None).is_meant_by(&notice("main", of(Some("stock"), Some("default"))), None));
        assert!(!follows(None).is_meant_by(&notice("main", of(Some("stock"), Some("dev"))), None));
        assert!(!follows(None).is_meant_by(&notice("main", of(Some("users"), None)), None));
    }
}
