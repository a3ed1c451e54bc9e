#![no_main]

use config_server_fuzz::engine::document::{Format, Limits};
use config_server_fuzz::engine::parse::parse;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = parse(Format::Xml, bytes, &Limits::default());
});
