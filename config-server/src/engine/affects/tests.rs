use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::collection::btree_map;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::engine::diff::{ChangeKind, diff};
use crate::engine::document::Limits;
use crate::engine::query::{Query, Rules};
use crate::engine::resolve::resolve;
use crate::engine::tree::{Directory, TreeBuilder};

fn repository(search_paths: &[&str]) -> Layout {
    Layout::Repository {
        uri: "repo".into(),
        search_paths: search_paths.iter().map(|path| (*path).to_owned()).collect(),
        reverse_location_order: false,
    }
}

fn told(path: &str, layout: &Layout) -> String {
    let change = Change {
        path: path.into(),
        kind: ChangeKind::Modified,
    };
    affects(&[change], layout).to_header(1000)
}

#[track_caller]
fn check(layout: &Layout, cases: &[(&str, &str)]) {
    for (path, expected) in cases {
        assert_eq!(told(path, layout), *expected, "{path}");
    }
}

#[test]
fn names_say_whose_a_file_is() {
    check(
        &repository(&[]),
        &[
            ("application.yml", "*"),
            ("application-dev.yml", "*/dev,application-dev/*"),
            ("foo.properties", "foo/*"),
            ("foo-dev.yml", "foo/dev,foo-dev/*"),
            ("foo-bar-dev.xml", "foo/bar-dev,foo-bar/dev,foo-bar-dev/*"),
            ("notes.txt", "*"),
            ("docs/foo.yml", "*"),
        ],
    );
}

#[test]
fn search_paths_say_whose_a_folder_is() {
    check(
        &repository(&["common", "{application}/{profile}", "{application}", "svc/*"]),
        &[
            (
                "common/foo-dev.yml",
                "common%2Ffoo/dev,common%2Ffoo-dev/*,foo/dev,foo-dev/*",
            ),
            ("foo/application.yml", "foo/*,foo%2Fapplication/*"),
            ("foo/notes.txt", "foo/*"),
            ("svc/a/application.yml", "*"),
        ],
    );
    check(
        &repository(&["{application}"]),
        &[(
            "foo/application-dev.yml",
            "application-dev/*,foo/dev,foo%2Fapplication/dev,foo%2Fapplication-dev/*",
        )],
    );
    check(
        &repository(&["{profile}"]),
        &[("dev/application.yml", "*/dev,dev%2Fapplication/*")],
    );
}

#[test]
fn native_files_are_found_by_their_location() {
    let layout = Layout::Native {
        locations: ["file:/etc/config/".to_owned(), "file:/etc/{application}".to_owned()].into(),
        add_label_locations: true,
    };
    check(
        &layout,
        &[
            ("0/foo.yml", "foo/*"),
            ("0/main/foo.yml", "foo/*,main%2Ffoo/*"),
            ("1/foo/application.yml", "foo/*"),
            ("7/x.yml", "*"),
        ],
    );
}

type Files = BTreeMap<String, u8>;

fn tree(files: &Files) -> Arc<Directory> {
    let mut tree = TreeBuilder::default();
    for (path, content) in files {
        tree.file(path, format!("k: {content}\n").into_bytes(), None).unwrap();
    }
    tree.build()
}

fn any_files() -> impl Strategy<Value = Files> {
    let directory = select(vec!["", "", "a/", "b/", "a/dev/", "svc/a/", "svc/dev/", "cfg-a/"]);
    let stem = select(vec!["application", "a", "b", "a-b"]);
    let ending = select(vec![
        ".yml",
        "-dev.yml",
        "-prod.properties",
        "-b.yaml",
        "-b-dev.yml",
        "-default.yml",
    ]);
    let path = (directory, stem, ending).prop_map(|(directory, stem, ending)| format!("{directory}{stem}{ending}"));
    btree_map(path, 0..3_u8, 0..12)
}

fn any_layout() -> impl Strategy<Value = Layout> {
    let paths = vec![
        "a",
        "{application}",
        "{profile}",
        "{application}/{profile}",
        "svc/*",
        "cfg-{application}",
        "**",
        "svc/{label}",
    ];
    subsequence(paths, 0..4).prop_map(|paths| repository(&paths))
}

proptest! {
    #[test]
    fn whoever_reads_something_else_is_covered(
        from in any_files(),
        to in any_files(),
        layout in any_layout(),
        applications in subsequence(vec!["application", "a", "b", "a-b", "a/b", "a/dev/a"], 1..3),
        profiles in subsequence(vec!["dev", "prod", "b", "b-dev"], 0..3),
    ) {
        let profiles = if profiles.is_empty() { vec!["default"] } else { profiles };
        let (from, to) = (tree(&from), tree(&to));
        let affects = affects(&diff(&from, &to), &layout);
        let query = Query::new(&applications.join(","), &profiles.join(","), None, &Rules::default()).unwrap();
        let sources = |root: &Directory| resolve(root, &layout, "dev", &query, &Limits::default()).unwrap();
        if sources(&from) != sources(&to) {
            prop_assert!(affects.covers(&applications, &profiles), "{affects:?}");
        }
    }
}
