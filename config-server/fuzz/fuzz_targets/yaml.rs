#![no_main]

use config_server_fuzz::engine::document::{Format, Limits};
use config_server_fuzz::engine::parse::parse;
use config_server_fuzz::engine::render::{Merged, merged};
use config_server_fuzz::engine::resolve::Source;
use libfuzzer_sys::fuzz_target;

// Whatever is read must also be writable, and what is written must read back.
fuzz_target!(|bytes: &[u8]| {
    let limits = Limits::default();
    for document in parse(Format::Yaml, bytes, &limits).unwrap_or_default() {
        let sources = [Source {
            name: "fuzz".into(),
            properties: document.properties,
        }];
        if let Ok(yaml) = merged(Merged::Yaml, &sources, false, false, &limits) {
            parse(Format::Yaml, &yaml, &limits).expect("our own YAML");
        }
        let _ = merged(Merged::Json, &sources, true, true, &limits);
    }
});
