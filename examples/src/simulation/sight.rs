//! What the server's own engine makes of a commit. Trees come again in many runs, so each thread
//! keeps what it has parsed and resolved.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use config_server::engine::document::{Format, Limits};
use config_server::engine::query::{Query, Rules};
use config_server::engine::resolve::{Layout, Source};
use config_server::engine::snapshot::Snapshot;
use config_server::engine::tree::{Directory, Node, TreeBuilder};
use config_server::git::Loaded;
use config_server::read::digest;
use config_server::read::gate;
use config_server::settings::serving::Gate;
use config_server::store::Layer;

use super::remote::{APPLICATIONS, Content, FILES, Remote, Tree, Values, id};

/// What a layer answers an application with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Which state: 0 is the newest, then the fallbacks.
    pub state: usize,
    pub digest: Arc<str>,
    pub values: Values,
}

/// Answers that a thread keeps before it forgets them all: few come again after their own run.
const ANSWERS_KEPT: usize = 4_096;

/// Answers by application and by the states of the layer; `None` when no state is good.
type Answers = HashMap<(usize, Vec<Tree>), Option<Seen>>;
/// Files and the broken ones of them.
type Parsed = (Arc<Directory>, Arc<[Arc<str>]>);

thread_local! {
    static PARSED: RefCell<HashMap<Tree, Parsed>> = RefCell::default();
    static ANSWERS: RefCell<Answers> = RefCell::default();
    static QUERIES: Vec<Query> = (0..APPLICATIONS.len()).map(query).collect();
}

/// How the repository is read.
#[must_use]
pub fn layout() -> Layout {
    Layout::Repository {
        uri: "https://git.example.org/config".into(),
        search_paths: Arc::new([]),
        reverse_location_order: false,
    }
}

/// `commit` as git would be read.
#[must_use]
pub fn load(remote: &Remote, commit: usize) -> Loaded {
    let tree = *remote.tree(commit);
    let (root, broken) = PARSED.with_borrow_mut(|parsed| parsed.entry(tree).or_insert_with(|| parse(&tree)).clone());
    Loaded {
        snapshot: Arc::new(Snapshot {
            commit: id(commit),
            committed_at: 0,
            root,
        }),
        broken,
    }
}

/// What `layer`, whose states have these `trees`, answers the application.
#[must_use]
pub fn see(application: usize, layer: &Layer, trees: Vec<Tree>) -> Option<Seen> {
    ANSWERS.with_borrow_mut(|answers| {
        if answers.len() >= ANSWERS_KEPT {
            answers.clear();
        }
        let made = answers.entry((application, trees));
        made.or_insert_with(|| resolve(application, layer)).clone()
    })
}

fn parse(tree: &Tree) -> Parsed {
    let mut builder = TreeBuilder::default();
    for (file, content) in FILES.iter().zip(tree) {
        let stem = stem(file);
        let text = match content {
            Content::Absent => continue,
            Content::Good(content) => format!("{stem}: {content}\n"),
            Content::Broken => format!("{stem}: [\n"),
        };
        builder.file(file, text, None).expect("file names");
    }
    let root = builder.build();
    let broken = root.entries.iter().filter(|(name, node)| is_broken(name, node));
    let broken = broken.map(|(name, _)| name.clone()).collect();
    (root, broken)
}

fn is_broken(name: &str, node: &Node) -> bool {
    let (Some(format), Node::File(blob)) = (Format::of(name), node) else {
        return false;
    };
    blob.prepared(format, &Limits::default()).is_err()
}

fn resolve(application: usize, layer: &Layer) -> Option<Seen> {
    QUERIES.with(|queries| {
        let query = &queries[application];
        let passed = gate::pass(layer, query, Gate::Application, &Limits::default()).ok()?;
        let earlier = layer.earlier.iter().map(|state| &state.snapshot);
        let state = std::iter::once(&layer.snapshot)
            .chain(earlier)
            .position(|state| state.commit == passed.snapshot.commit)
            .expect("what passes is a state of the layer");
        let sources = &passed.sources;
        Some(Seen {
            state,
            digest: digest::of_environment(query, false, sources).into(),
            values: values(sources),
        })
    })
}

fn values(sources: &[Source]) -> Values {
    let mut values = Values::default();
    for property in sources.iter().flat_map(|source| source.properties.iter()) {
        let file = FILES.iter().position(|file| stem(file) == &*property.key);
        let file = file.expect("every key is named after its file");
        let content = property.value.to_string().parse().expect("contents are numbers");
        values.0[file] = Some(content);
    }
    values
}

fn query(application: usize) -> Query {
    let application = &APPLICATIONS[application];
    let profiles = match application.profiles {
        [] => "default".to_owned(),
        profiles => profiles.join(","),
    };
    Query::new(application.name, &profiles, application.label, &Rules::default()).expect("plain names")
}

fn stem(file: &str) -> &str {
    file.split_once('.').map_or(file, |(stem, _)| stem)
}
