//! Which commit a label means: the branches and tags of a repository at one moment.

use std::collections::{BTreeSet, HashMap};

use git2::{ErrorCode, ObjectType, Oid, Repository};

use super::error::Failure;

/// Branches deleted at the remote that are still served are kept under names of their own, in
/// hexadecimal, so that a kept `a` never stands in the way of a new `a/b`.
pub(super) const KEPT: &str = "refs/kept/";

/// Abbreviated commit ids are at least this long (contract 2.6).
const SHORTEST_ID: usize = 7;

/// Names and the commits they stand at.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct RefTable {
    branches: HashMap<String, Oid>,
    tags: HashMap<String, Oid>,
    /// No longer at the remote.
    kept: HashMap<String, Oid>,
}

impl RefTable {
    /// Reads the references of a mirror. Tags are peeled; those that name no commit are left out.
    pub(super) fn read(repository: &Repository) -> Result<Self, Failure> {
        let mut table = Self::default();
        for reference in repository.references().map_err(|e| Failure::reading(&e))? {
            let reference = reference.map_err(|e| Failure::reading(&e))?;
            let Ok(name) = reference.name() else { continue };
            match reference.peel(ObjectType::Commit) {
                Ok(commit) => table.insert(name, commit.id()),
                Err(error) if names_no_commit(&error) => {}
                Err(error) => return Err(Failure::reading(&error)),
            }
        }
        Ok(table)
    }

    fn insert(&mut self, name: &str, commit: Oid) {
        if let Some(branch) = name.strip_prefix("refs/heads/") {
            self.branches.insert(branch.to_owned(), commit);
        } else if let Some(tag) = name.strip_prefix("refs/tags/") {
            self.tags.insert(tag.to_owned(), commit);
        } else if let Some(name) = name.strip_prefix(KEPT).and_then(kept_name) {
            self.kept.insert(name, commit);
        }
    }

    /// The branch or tag that `label` names, by its own name: `main` for `refs/heads/main` and
    /// `origin/main` too. A branch beats a tag. Revision expressions name nothing.
    #[must_use]
    pub fn find(&self, label: &str) -> Option<(String, Oid)> {
        let named = |name: &str, commit: &Oid| (name.to_owned(), *commit);
        if let Some(commit) = self.named(label) {
            return Some(named(label, commit));
        }
        for prefix in ["refs/heads/", "origin/", "refs/remotes/origin/"] {
            if let Some((name, commit)) = label
                .strip_prefix(prefix)
                .and_then(|name| self.branches.get_key_value(name))
            {
                return Some(named(name, commit));
            }
        }
        let tag = label.strip_prefix("refs/tags/")?;
        // A tag behind a branch of the same name can only be spelt out; it keeps that spelling.
        let name = if self.branches.contains_key(tag) { label } else { tag };
        self.tags.get(tag).map(|commit| named(name, commit))
    }

    fn named(&self, name: &str) -> Option<&Oid> {
        self.branches
            .get(name)
            .or_else(|| self.tags.get(name))
            .or_else(|| self.kept.get(name))
    }

    /// Every branch and tag of the remote by its own name, in order.
    #[must_use]
    pub fn names(&self) -> BTreeSet<&str> {
        self.branches
            .keys()
            .chain(self.tags.keys())
            .map(String::as_str)
            .collect()
    }

    /// Every branch and its commit.
    pub fn branches(&self) -> impl Iterator<Item = (&str, Oid)> {
        self.branches.iter().map(|(name, commit)| (name.as_str(), *commit))
    }
}

/// A tag of a tree or a file, as opposed to one whose object is missing.
fn names_no_commit(error: &git2::Error) -> bool {
    matches!(error.code(), ErrorCode::Peel | ErrorCode::InvalidSpec)
}

/// Whether a label may be a full or abbreviated commit id.
#[must_use]
pub fn may_be_commit(label: &str) -> bool {
    (SHORTEST_ID..=40).contains(&label.len()) && label.chars().all(|c| c.is_ascii_hexdigit())
}

/// The reference under which a deleted branch or tag is kept.
pub(super) fn kept_reference(name: &str) -> String {
    format!("{KEPT}{}", hex::encode(name))
}

fn kept_name(encoded: &str) -> Option<String> {
    String::from_utf8(hex::decode(encoded).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oid(digit: char) -> Oid {
        Oid::from_str(&digit.to_string().repeat(40)).expect("an id")
    }

    fn table() -> RefTable {
        let mut table = RefTable::default();
        for (name, digit) in [
            ("refs/heads/main", '1'),
            ("refs/heads/feature/x", '2'),
            ("refs/heads/dup", '3'),
            ("refs/tags/dup", '4'),
            ("refs/tags/v1", '5'),
            ("refs/heads/origin/odd", '6'),
            (&kept_reference("gone/branch"), '7'),
            ("refs/notes/commits", '8'),
        ] {
            table.insert(name, oid(digit));
        }
        table
    }

    #[test]
    fn labels_name_branches_and_tags_by_all_their_spellings() {
        let cases = [
            ("main", "main", '1'),
            ("refs/heads/main", "main", '1'),
            ("origin/main", "main", '1'),
            ("feature/x", "feature/x", '2'),
            ("dup", "dup", '3'),
            ("refs/tags/dup", "refs/tags/dup", '4'),
            ("refs/tags/v1", "v1", '5'),
            ("v1", "v1", '5'),
            ("origin/odd", "origin/odd", '6'),
            ("gone/branch", "gone/branch", '7'),
        ];
        for (label, name, digit) in cases {
            assert_eq!(table().find(label), Some((name.to_owned(), oid(digit))), "{label}");
        }
    }

    #[test]
    fn revision_expressions_are_no_labels() {
        for label in [
            "HEAD",
            "HEAD~1",
            "main~1",
            "main^",
            "main@{0}",
            ":/fix",
            "main:application.yml",
            "commits",
            "origin/v1",
            "",
        ] {
            assert_eq!(table().find(label), None, "{label}");
        }
    }

    #[test]
    fn commit_ids_have_seven_to_forty_digits() {
        assert!(may_be_commit("1dc033f"));
        assert!(may_be_commit("1DC033F08E"));
        assert!(!may_be_commit("1dc033"));
        assert!(!may_be_commit("main123"));
        assert!(!may_be_commit(&"a".repeat(41)));
    }
}
