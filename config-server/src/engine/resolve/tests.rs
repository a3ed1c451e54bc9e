//! What the recorded repositories do not hold: faults, links, and everything that was read.

use super::*;
use crate::engine::query::Rules;
use crate::engine::tree::{TreeBuilder, TreePath};

fn tree(files: &[(&str, &str)]) -> Arc<Directory> {
    let mut tree = TreeBuilder::default();
    for (path, text) in files {
        match text.strip_prefix("-> ") {
            Some(target) => tree.link(path, target).unwrap(),
            None => tree.file(path, text.as_bytes().to_vec(), None).unwrap(),
        }
    }
    tree.build()
}

fn repository(search_paths: &[&str]) -> Layout {
    Layout::Repository {
        uri: "r".into(),
        search_paths: search_paths.iter().map(|path| (*path).to_owned()).collect(),
        reverse_location_order: false,
    }
}

fn query(path: &str) -> Query {
    let (name, profiles) = path.split_once('/').unwrap();
    Query::new(name, profiles, None, &Rules::default()).unwrap()
}

fn resolved(files: &[(&str, &str)], layout: &Layout, path: &str) -> Result<Vec<Source>, Broken> {
    resolve(&tree(files), layout, "main", &query(path), &Limits::default())
}

fn names(files: &[(&str, &str)], layout: &Layout, path: &str) -> Vec<String> {
    let resolved = resolved(files, layout, path).unwrap();
    resolved.iter().map(|source| source.name.to_string()).collect()
}

#[track_caller]
fn fault(files: &[(&str, &str)], path: &str) -> String {
    resolved(files, &repository(&[]), path).unwrap_err().to_string()
}

#[test]
fn imports_in_a_circle_are_each_read_once() {
    let files = [
        ("foo.yml", "spring.config.import: a.yml"),
        ("a.yml", "spring.config.import: [b.yml, foo.yml]"),
        ("b.yml", "spring.config.import: a.yml"),
    ];
    assert_eq!(
        names(&files, &repository(&[]), "foo/default"),
        ["r/b.yml", "r/a.yml", "r/foo.yml"]
    );
}

#[test]
fn a_long_chain_of_imports_is_refused() {
    let files: Vec<_> = (0..100)
        .map(|n| (format!("f{n}.yml"), format!("spring.config.import: f{}.yml", n + 1)))
        .collect();
    let files: Vec<_> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    assert!(
        fault(&files, "f0/default").starts_with("f64.yml: "),
        "{}",
        fault(&files, "f0/default")
    );
}

#[test]
fn every_directory_of_a_folder_can_be_imported() {
    let files = [
        ("foo.yml", "spring.config.import: optional:parts/*/"),
        ("parts/a/foo.yml", "k: 1"),
        ("parts/b/foo-dev.yml", "k: 2"),
        ("parts/foo.yml", "k: 3"),
    ];
    let found = names(&files, &repository(&[]), "foo/dev");
    assert_eq!(found, ["r/parts/b/foo-dev.yml", "r/parts/a/foo.yml", "r/foo.yml"]);
}

#[test]
fn an_import_never_leaves_the_tree() {
    for import in [
        "../x.yml",
        "/etc/x.yml",
        "file:x.yml",
        "classpath:x.yml",
        "a/../../x.yml",
        ".git/x.yml",
    ] {
        let text = format!("spring.config.import: '{import}'");
        assert_eq!(
            names(
                &[("foo.yml", &text), ("x.yml", "k: 1")],
                &repository(&[]),
                "foo/default"
            ),
            ["r/foo.yml"],
            "{import}"
        );
    }
}

#[test]
fn what_is_wrong_is_told_with_file_and_line() {
    let gated = "k: 1\n---\nspring.config.activate.on-profile: dev\nspring.profiles.include: x";
    assert!(fault(&[("foo.yml", gated)], "foo/dev").starts_with("foo.yml: line 4, column"));
    assert!(
        fault(&[("foo-dev.yml", "a: 1\nspring.profiles.include: x")], "foo/dev").starts_with("foo-dev.yml: line 2")
    );
    assert!(fault(&[("foo.yml", "spring.profiles: dev")], "foo/default").contains("on-profile"));
    assert!(fault(&[("s/x.yml", "a: [")], "s(_)x/default").starts_with("s/x.yml: line"));
}

#[test]
fn conditions_may_hold_placeholders() {
    let files = [
        ("application.yml", "when: dev"),
        ("foo.yml", "spring.config.activate.on-profile: ${when}"),
    ];
    assert_eq!(
        names(&files, &repository(&[]), "foo/dev"),
        ["r/foo.yml", "r/application.yml"]
    );
    assert_eq!(names(&files, &repository(&[]), "foo/prod"), ["r/application.yml"]);
}

#[test]
fn a_pattern_past_the_limit_is_refused_wherever_it_stands() {
    let limits = Limits {
        nodes: 2,
        ..Limits::default()
    };
    let files = [
        ("a/x.yml", "k: 1"),
        ("b/x.yml", "k: 1"),
        ("foo.yml", "spring.config.import: ./*/"),
    ];
    let refused = |search_paths: &[&str], path| {
        let refused = resolve(&tree(&files), &repository(search_paths), "main", &query(path), &limits);
        refused.unwrap_err().to_string()
    };
    assert_eq!(
        refused(&["*"], "bar/dev"),
        "the search path `*` looks into more than 2 directories, past the limit `config-bus.limits.nodes`"
    );
    assert_eq!(
        refused(&[], "foo/dev"),
        "foo.yml: line 1, column 1: the import `./*/` looks into more than 2 directories, past the limit \
         `config-bus.limits.nodes`"
    );
}

#[test]
fn a_file_of_a_native_location_is_named_by_the_setting() {
    let layout = Layout::Native {
        locations: ["file:/srv/private/".to_owned(), "file:/srv/team/".to_owned()].into(),
        add_label_locations: false,
    };
    let fault = resolved(&[("1/foo.yml", "a: [")], &layout, "foo/dev")
        .unwrap_err()
        .to_string();
    assert!(fault.starts_with("search-locations[1]/foo.yml: line "), "{fault}");
}

#[test]
fn applications_may_stand_in_folders() {
    let files = [
        ("team/foo.yml", "spring.config.import: part.yml"),
        ("team/part.yml", "k: 1"),
        ("team/application.yml", "k: 1"),
    ];
    assert_eq!(
        names(&files, &repository(&[]), "team(_)foo/default"),
        ["r/team/part.yml", "r/team/foo.yml"]
    );
}

#[test]
fn the_first_of_several_labels_ranks_highest_in_native_directories() {
    let files = [
        ("0/foo.yml", "k: 0"),
        ("0/a/foo.yml", "k: 1"),
        ("0/b/foo.yml", "k: 2"),
        ("1/foo.yml", "k: 3"),
    ];
    let layout = Layout::Native {
        locations: ["file:///etc/config/".to_owned()].into(),
        add_label_locations: true,
    };
    let resolved = resolve(&tree(&files), &layout, "a,b", &query("foo/default"), &Limits::default()).unwrap();
    let names: Vec<_> = resolved.iter().map(|source| &*source.name).collect();
    assert_eq!(
        names,
        [
            "file:/etc/config/a/foo.yml",
            "file:/etc/config/b/foo.yml",
            "file:/etc/config/foo.yml"
        ]
    );
}

#[test]
fn plain_files_can_be_looked_for_in_the_old_order() {
    let root = tree(&[("t.txt", "root"), ("common/t.txt", "common")]);
    let found = |reverse_location_order| {
        let layout = Layout::Repository {
            uri: "r".into(),
            search_paths: ["common".to_owned()].into(),
            reverse_location_order,
        };
        let path = TreePath::parse("t.txt").unwrap();
        find_file(&root, &layout, "main", &query("foo/dev"), &path, &Limits::default())
            .unwrap()
            .unwrap()
            .path
    };
    assert_eq!((&*found(false), &*found(true)), ("t.txt", "common/t.txt"));
}

#[test]
fn an_empty_name_or_profile_reads_nothing() {
    let files = [("application.yml", "k: 1")];
    assert!(names(&files, &repository(&[]), "/dev").is_empty());
    assert!(names(&files, &repository(&[]), "foo/").is_empty());
}
