//! A path below the root of a tree.

use std::fmt;

use thiserror::Error;

/// Names joined with `/`, from the root of a tree; empty for the root itself.
///
/// **Invariant: there is no `..`, no `.git`, no NUL and no empty name in it**, so it cannot leave the
/// tree or reach what git keeps for itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TreePath(String);

/// Why a text is no path of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PathError {
    #[error("the path goes up")]
    GoesUp,
    #[error("the path names git's own files")]
    Git,
    #[error("the path holds a NUL character")]
    Nul,
}

impl TreePath {
    /// Reads `text`; repeated and trailing slashes and `.` collapse.
    ///
    /// # Errors
    /// [`PathError`] for what a path of a tree cannot hold.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let mut path = String::with_capacity(text.len());
        for name in text.split('/').filter(|name| !matches!(*name, "" | ".")) {
            check_name(name)?;
            if !path.is_empty() {
                path.push('/');
            }
            path.push_str(name);
        }
        Ok(Self(path))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The names, from the root down.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|name| !name.is_empty())
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `.git` in any case: file systems that fold case would reach it, so no tree ever shows it.
pub(super) fn check_name(name: &str) -> Result<(), PathError> {
    if name == ".." {
        Err(PathError::GoesUp)
    } else if name.eq_ignore_ascii_case(".git") {
        Err(PathError::Git)
    } else if name.contains('\0') {
        Err(PathError::Nul)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_and_dots_collapse() {
        let path = TreePath::parse("//a/./b//c.yml/").unwrap();
        assert_eq!(path.as_str(), "a/b/c.yml");
        assert_eq!(path.names().collect::<Vec<_>>(), ["a", "b", "c.yml"]);
        assert_eq!(TreePath::parse("/").unwrap(), TreePath::default());
    }

    #[test]
    fn what_leaves_the_tree_is_refused() {
        assert_eq!(TreePath::parse("a/../b"), Err(PathError::GoesUp));
        assert_eq!(TreePath::parse(".GIT/config"), Err(PathError::Git));
        assert_eq!(TreePath::parse("a\0b"), Err(PathError::Nul));
        assert!(TreePath::parse("..a/.gitignore").is_ok());
    }
}
