#![no_main]

use std::sync::{Arc, LazyLock};

use config_server_fuzz::engine::document::Limits;
use config_server_fuzz::engine::query::{Query, Rules};
use config_server_fuzz::engine::resolve::{Layout, resolve};
use config_server_fuzz::engine::tree::TreeBuilder;
use libfuzzer_sys::fuzz_target;

static LAYOUT: LazyLock<Layout> = LazyLock::new(|| Layout::Repository {
    uri: "https://git.example/config".into(),
    search_paths: Arc::new(["{application}/*".to_owned()]),
    reverse_location_order: false,
});

static QUERY: LazyLock<Query> =
    LazyLock::new(|| Query::new("foo", "dev,cloud", Some("main"), &Rules::default()).expect("a good query"));

// Activation, profiles, groups and imports of the file that everything is asked for. It also stands
// where it can import itself.
fuzz_target!(|bytes: &[u8]| {
    let mut tree = TreeBuilder::default();
    for path in ["foo.properties", "foo/x/foo-dev.properties", "x.yml"] {
        tree.file(path, bytes.to_vec(), None).expect("a good path");
    }
    let _ = resolve(&tree.build(), &LAYOUT, "main", &QUERY, &Limits::default());
});
