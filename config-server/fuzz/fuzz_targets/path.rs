#![no_main]

use config_server_fuzz::api::path::{Asked, Route, parse};
use config_server_fuzz::engine::query::{Query, Rules};
use libfuzzer_sys::fuzz_target;

// Whatever gets past the grammar and the vetoes names nothing outside the tree.
fuzz_target!(|path: &str| {
    for default_label in [false, true] {
        let asked = Asked {
            default_label,
            post: false,
        };
        if let Route::File {
            name,
            profiles,
            label,
            path,
        } = parse(path, asked)
        {
            let query = Query::new(&name, &profiles, label.as_deref(), &Rules::default());
            if let (Ok(query), Ok(path)) = (query, Query::file_path(&path)) {
                assert!(!query.name.contains("..") && !query.profiles_text.contains(".."));
                assert!(
                    path.names()
                        .all(|name| name != ".." && !name.eq_ignore_ascii_case(".git"))
                );
            }
        }
    }
});
