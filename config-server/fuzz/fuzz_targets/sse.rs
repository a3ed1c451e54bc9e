#![no_main]

use config_server_fuzz::sse::Decoder;
use libfuzzer_sys::fuzz_target;

// However the stream is cut, the events are the same.
fuzz_target!(|stream: &[u8]| {
    let whole = Decoder::default().push(stream);
    let mut decoder = Decoder::default();
    let pieces: Result<Vec<_>, _> = stream.chunks(3).map(|piece| decoder.push(piece)).collect();
    assert_eq!(whole, pieces.map(|events| events.concat()));
});
