use std::collections::BTreeMap;
use std::sync::Arc;

use contract::{Affects, Scope};
use proptest::collection::btree_map;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::engine::document::Limits;
use crate::engine::query::{Query, Rules};
use crate::engine::resolve::{Layout, resolve};
use crate::engine::snapshot::Snapshot;
use crate::engine::tree::{Directory, TreeBuilder};
use crate::store::Cause;

/// What stands at a path: the text of a file, or where a symbolic link leads.
#[derive(Debug, Clone)]
enum Entry {
    File(String),
    Link(&'static str),
}

type Tree = BTreeMap<String, Entry>;

fn root(entries: &Tree) -> Arc<Directory> {
    let mut tree = TreeBuilder::default();
    for (path, entry) in entries {
        match entry {
            Entry::File(text) => tree.file(path, text.clone().into_bytes(), None),
            Entry::Link(target) => tree.link(path, target),
        }
        .expect("a path");
    }
    tree.build()
}

fn layout() -> Layout {
    Layout::Repository {
        uri: "repo".into(),
        search_paths: Arc::new(["svc/{application}".to_owned()]),
        reverse_location_order: false,
    }
}

fn moved(from: &Tree, to: &Tree) -> HeadMove {
    let snapshot = |digit: &str, entries: &Tree| Snapshot {
        commit: digit.repeat(40).parse().expect("a commit"),
        committed_at: 0,
        root: root(entries),
    };
    HeadMove {
        repository: "repo".into(),
        label: "main".parse().expect("a label"),
        from: Some(Arc::new(snapshot("a", from))),
        to: Arc::new(snapshot("b", to)),
        layout: layout(),
        cause: Cause::Tick,
    }
}

fn file(path: &str, text: &str) -> (String, Entry) {
    (path.to_owned(), Entry::File(text.to_owned()))
}

#[test]
fn a_commit_that_touches_no_configuration_of_anybody_is_for_nobody() {
    let tree = Tree::from([file("orders.yml", "a: 1\n")]);
    assert_eq!(
        touched(&moved(&tree, &tree), &mut Memory::default()),
        Affects::union([])
    );
}

#[test]
fn a_changed_file_is_for_those_who_read_it() {
    let (from, to) = (
        Tree::from([file("orders.yml", "a: 1\n")]),
        Tree::from([file("orders.yml", "a: 2\n")]),
    );
    let orders = Affects::union([Scope::new(Some("orders"), None)]);
    assert_eq!(touched(&moved(&from, &to), &mut Memory::default()), orders);
}

#[test]
fn a_first_sight_is_for_everybody() {
    let tree = Tree::from([file("orders.yml", "a: 1\n")]);
    let first = HeadMove {
        from: None,
        ..moved(&tree, &tree)
    };
    assert_eq!(touched(&first, &mut Memory::default()), Affects::All);
}

#[test]
fn a_move_from_a_state_that_is_gone_is_for_everybody() {
    let tree = Tree::from([file("orders.yml", "a: 1\n")]);
    assert_eq!(
        touched(&moved(&Tree::new(), &tree), &mut Memory::default()),
        Affects::All
    );
}

fn any_tree() -> impl Strategy<Value = Tree> {
    let directory = select(vec!["", "", "", "shared/", "svc/a/", "more/"]);
    let stem = select(vec!["application", "a", "b", "a-b", "extra"]);
    let ending = select(vec![".yml", "-dev.yml", "-common.yml", "-b.properties"]);
    let path = (directory, stem, ending).prop_map(|(directory, stem, ending)| format!("{directory}{stem}{ending}"));
    btree_map(path, any_entry(), 0..10)
}

fn any_entry() -> impl Strategy<Value = Entry> {
    let plain = (0..3_u8).prop_map(|n| Entry::File(format!("k: {n}\n")));
    let directives = vec![
        "spring.config.import: extra.yml\n",
        "spring.config.import: 'optional:shared/extra.yml, more/'\n",
        "spring.config.import: ../shared/a.yml\n",
        "spring.profiles.include: common\n",
        "spring.profiles.include: common,b\n",
        "spring.profiles.group.dev: common\n",
    ];
    let directive = select(directives).prop_map(|text| Entry::File(text.to_owned()));
    let links = vec!["extra.yml", "../shared/a.yml", "shared/extra.yml", "../more"];
    let link = select(links).prop_map(Entry::Link);
    prop_oneof![6 => plain, 2 => directive, 1 => link]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Imports, included profiles and links do not make the notice narrower than the change.
    #[test]
    fn whoever_reads_something_else_is_told(
        from in any_tree(),
        changes in any_tree(),
        removed in any::<prop::sample::Index>(),
        applications in subsequence(vec!["a", "b", "a-b"], 1..3),
        profiles in subsequence(vec!["dev", "b"], 0..3),
    ) {
        let profiles = if profiles.is_empty() { vec!["default"] } else { profiles };
        let mut to = from.clone();
        if let Some(path) = from.keys().nth(removed.index(from.len().max(1))) {
            to.remove(path);
        }
        to.extend(changes.into_iter().take(2));
        let moved = moved(&from, &to);
        let query = Query::new(&applications.join(","), &profiles.join(","), None, &Rules::default()).expect("a query");
        let sources = |root: &Directory| {
            resolve(root, &layout(), "main", &query, &Limits::default()).ok()
        };
        let affects = touched(&moved, &mut Memory::default());
        let before = moved.from.as_ref().and_then(|from| sources(&from.root));
        if before != sources(&moved.to.root) {
            prop_assert!(affects.covers(&applications, &profiles), "{affects:?}");
        }
    }
}
