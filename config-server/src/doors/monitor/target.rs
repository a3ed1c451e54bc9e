//! From a changed path to the names of applications that may read it (contract section 6).

use std::collections::BTreeSet;
use std::iter::successors;

/// The names for `paths`, each once, in the order in which they are found.
#[must_use]
pub fn of_paths(paths: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let names = paths.into_iter().flat_map(|path| of_path(&path));
    names.filter(|name| seen.insert(name.clone())).collect()
}

/// The stem of the file name, then every shorter one up to a dash; `application` is everybody.
///
/// Directories never count: a profile, and an application with dashes, can only be guessed at.
fn of_path(path: &str) -> Vec<String> {
    let name = file_name(path);
    let stem = name.rfind('.').map_or(name.as_str(), |dot| &name[..dot]);
    let stems = successors(Some(stem), |stem| Some(stem.rsplit_once('-')?.0));
    stems
        .map(|stem| if stem == "application" { "*" } else { stem }.to_owned())
        .collect()
}

/// The last name of the path once it is cleaned: backslashes are slashes, `.` and `..` are resolved.
fn file_name(path: &str) -> String {
    let path = path.replace('\\', "/");
    if path.ends_with('/') {
        return String::new();
    }
    let mut names = Vec::new();
    for name in path.split('/') {
        match name {
            "." => {}
            ".." if names.last().is_some_and(|last| *last != "..") => {
                names.pop();
            }
            name => names.push(name),
        }
    }
    names.last().copied().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(path: &str, expected: &[&str]) {
        assert_eq!(of_path(path), expected, "{path}");
    }

    #[test]
    fn names_are_guessed_as_the_stock_server_does() {
        check("foo.yml", &["foo"]);
        check("a/b/foo-bar-baz.properties", &["foo-bar-baz", "foo-bar", "foo"]);
        check("application-dev.yml", &["application-dev", "*"]);
        check("application.yml", &["*"]);
        check("dir/foo.tar.gz", &["foo.tar"]);
        check("README", &["README"]);
        check("foo--dev.yml", &["foo--dev", "foo-", "foo"]);
        check("-dev.yml", &["-dev", ""]);
        check("*", &["*"]);
        check(".gitignore", &[""]);
        check("config\\orders.yml", &["orders"]);
        check("a/./orders.yml", &["orders"]);
        check("demo-client:dev", &["demo-client:dev", "demo"]);
    }

    #[test]
    fn a_name_comes_once() {
        let paths = ["orders-dev.yml", "orders.properties", "application.yml"].map(str::to_owned);
        assert_eq!(of_paths(paths), ["orders-dev", "orders", "*"]);
    }

    proptest! {
        #[test]
        fn any_path_has_a_name_and_ends(path in "[a-z.\\-/\\\\:*é]{0,30}") {
            prop_assert!(!of_path(&path).is_empty());
        }
    }
}
