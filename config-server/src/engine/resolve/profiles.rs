//! Which profiles are active: those asked for, and those the files add (contract 2.2).

use std::collections::BTreeMap;

/// What `spring.profiles.group` says of each profile.
pub(super) type Groups<'d> = BTreeMap<&'d str, Vec<String>>;

/// `requested`, then `included`, each followed by the members of its group; every profile once.
pub(super) fn activate(requested: &[String], included: &[String], groups: &Groups<'_>) -> Vec<String> {
    let mut active: Vec<String> = Vec::new();
    let mut waiting: Vec<&String> = requested.iter().chain(included).rev().collect();
    while let Some(profile) = waiting.pop() {
        if active.contains(profile) {
            continue;
        }
        active.push(profile.clone());
        waiting.extend(groups.get(profile.as_str()).into_iter().flatten().rev());
    }
    active
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn members_follow_their_group_and_includes_come_last() {
        let groups = Groups::from([("dev", names(&["g1", "g2"])), ("g1", names(&["g3", "dev"]))]);
        let active = activate(&names(&["dev", "cloud", "dev"]), &names(&["inc", "g2"]), &groups);
        assert_eq!(active, ["dev", "g1", "g3", "g2", "cloud", "inc"]);
    }
}
