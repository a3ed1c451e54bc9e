#![no_main]

use config_server_fuzz::engine::document::{Format, Limits};
use config_server_fuzz::engine::parse::parse;
use config_server_fuzz::engine::placeholder::{Lookup, resolve_text};
use config_server_fuzz::engine::resolve::Source;
use libfuzzer_sys::fuzz_target;

// The text is resolved against the properties that it is itself.
fuzz_target!(|text: &str| {
    let limits = Limits::default();
    let documents = parse(Format::Properties, text.as_bytes(), &limits).unwrap_or_default();
    let source = |document: config_server_fuzz::engine::document::Document| Source {
        name: "fuzz".into(),
        properties: document.properties,
    };
    let sources: Vec<_> = documents.into_iter().map(source).collect();
    let _ = resolve_text(text, &Lookup::new(&sources), &limits);
});
