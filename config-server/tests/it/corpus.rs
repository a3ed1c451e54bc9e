//! What the fuzzers have found worth keeping, read again by the parsers: none of it is a panic.

use std::path::Path;

use bus::embedded::sse::Decoder;
use config_server::api::path::{self, Asked, Route};
use config_server::doors::monitor::{Call, targets};
use config_server::engine::cipher::{KeyMaterial, Keys, RsaScheme, StoreKind, StoreMaterial};
use config_server::engine::document::{Document, Format, Limits};
use config_server::engine::parse::parse;
use config_server::engine::placeholder::{Lookup, resolve_text};
use config_server::engine::query::{Query, Rules};
use config_server::engine::render::{Merged, merged};
use config_server::engine::resolve::{Layout, Source, resolve};
use config_server::engine::tree::TreeBuilder;
use config_server::settings::MonitorSettings;
use contract::{BusEvent, Message};
use http::{HeaderMap, HeaderValue};

/// Every file of one target's corpus.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let entries = std::fs::read_dir(directory).unwrap();
    let files: Vec<_> = entries
        .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
        .collect();
    assert!(!files.is_empty(), "nothing is kept for {target}");
    files
}

fn texts(target: &str) -> impl Iterator<Item = String> {
    corpus(target)
        .into_iter()
        .filter_map(|bytes| String::from_utf8(bytes).ok())
}

fn source(document: Document) -> Source {
    Source {
        name: "corpus".into(),
        properties: document.properties,
    }
}

#[test]
fn what_is_read_as_yaml_is_written_and_read_back() {
    let limits = Limits::default();
    for bytes in corpus("yaml") {
        for document in parse(Format::Yaml, &bytes, &limits).unwrap_or_default() {
            let sources = [source(document)];
            if let Ok(yaml) = merged(Merged::Yaml, &sources, false, false, &limits) {
                parse(Format::Yaml, &yaml, &limits).expect("our own YAML");
            }
            // A panic is all it may not be.
            let _ = merged(Merged::Json, &sources, true, true, &limits);
        }
    }
}

#[test]
fn properties_and_xml_are_read_or_refused() {
    for (target, format) in [("properties", Format::Properties), ("xml", Format::Xml)] {
        let read = |bytes: &Vec<u8>| parse(format, bytes, &Limits::default()).is_ok();
        assert!(corpus(target).iter().any(read), "all of {target} is refused");
    }
}

#[test]
fn placeholders_are_resolved_or_refused() {
    let limits = Limits::default();
    let resolved = |text: &String| {
        let documents = parse(Format::Properties, text.as_bytes(), &limits).unwrap_or_default();
        let sources: Vec<_> = documents.into_iter().map(source).collect();
        resolve_text(text, &Lookup::new(&sources), &limits).is_ok()
    };
    assert!(texts("placeholder").filter(resolved).count() > 0);
}

#[test]
fn directives_are_followed_or_refused() {
    let layout = Layout::Repository {
        uri: "https://git.example/config".into(),
        search_paths: Vec::new().into(),
        reverse_location_order: false,
    };
    let query = Query::new("foo", "dev,cloud", None, &Rules::default()).unwrap();
    let followed = |bytes: &Vec<u8>| {
        let mut tree = TreeBuilder::default();
        tree.file("foo.properties", bytes.clone(), None).unwrap();
        resolve(&tree.build(), &layout, "main", &query, &Limits::default()).is_ok()
    };
    let all = corpus("directives");
    let count = all.iter().filter(|bytes| followed(bytes)).count();
    assert!(0 < count && count < all.len(), "{count} of {}", all.len());
}

#[test]
fn events_are_read_and_written_as_they_were_or_refused() {
    let (mut events, mut frames) = (0, 0);
    for bytes in corpus("event") {
        if let Ok(event) = BusEvent::parse(&bytes) {
            let again = BusEvent::parse(&event.to_json()).expect("our own event");
            assert_eq!((again.id, again.origin), (event.id, event.origin));
            events += 1;
        }
        let frame = String::from_utf8_lossy(&bytes);
        if let Ok(message) = Message::from_frame(&frame) {
            let again = Message::from_frame(&message.to_frame()).expect("our own frame");
            assert_eq!(again.notice, message.notice);
            frames += 1;
        }
    }
    assert!(events > 0 && frames > 0, "{events} events, {frames} frames");
}

#[test]
fn a_stream_of_events_may_be_cut_anywhere() {
    for stream in corpus("sse") {
        let whole = Decoder::default().push(&stream).unwrap();
        let mut decoder = Decoder::default();
        let pieces: Vec<_> = stream
            .chunks(1)
            .flat_map(|piece| decoder.push(piece).unwrap())
            .collect();
        assert_eq!(whole, pieces);
    }
}

#[test]
fn no_path_names_a_file_outside_the_tree() {
    for text in texts("path") {
        for default_label in [false, true] {
            let asked = Asked {
                default_label,
                post: false,
            };
            let Route::File {
                name,
                profiles,
                label,
                path,
            } = path::parse(&text, asked)
            else {
                continue;
            };
            let query = Query::new(&name, &profiles, label.as_deref(), &Rules::default());
            let (Ok(query), Ok(path)) = (query, Query::file_path(&path)) else {
                continue;
            };
            assert!(
                !query.name.contains("..") && !query.profiles_text.contains(".."),
                "{text}"
            );
            let inside = |name: &str| name != ".." && !name.eq_ignore_ascii_case(".git");
            assert!(path.names().all(inside), "{text}");
        }
    }
}

#[test]
fn webhooks_of_every_provider_are_read_or_refused() {
    let events = [
        ("x-github-event", "push"),
        ("x-gitlab-event", "Push Hook"),
        ("x-git-oschina-event", "Push Hook"),
        ("x-gogs-event", "push"),
        ("x-event-key", "repo:push"),
        ("x-event-key", "repo:refs_changed"),
    ];
    let mut read = 0;
    for body in corpus("webhook") {
        for (header, value) in events {
            let mut headers = HeaderMap::new();
            headers.insert(header, HeaderValue::from_static(value));
            let call = Call {
                headers: &headers,
                query: None,
                body: &body,
            };
            read += usize::from(targets(&call, &MonitorSettings::default()).is_ok());
        }
    }
    assert!(read > 0);
}

#[test]
fn cipher_texts_and_key_stores_are_opened_or_refused() {
    let keys = Keys::open(KeyMaterial::Text {
        key: "foo".to_owned().into(),
        salt: "deadbeef".into(),
    })
    .unwrap();
    let mut opened = 0;
    for bytes in corpus("cipher") {
        let text = String::from_utf8_lossy(&bytes);
        // A panic is all it may not be.
        let _ = keys.decrypt(&text);
        for kind in [StoreKind::Jks, StoreKind::Pkcs12] {
            opened += usize::from(Keys::open(KeyMaterial::Store(store(kind, &bytes))).is_ok());
        }
    }
    assert!(opened >= 2, "both kinds of store are kept, whole");
}

fn store(kind: StoreKind, bytes: &[u8]) -> StoreMaterial {
    StoreMaterial {
        kind,
        bytes: bytes.to_vec(),
        password: "letmein".to_owned().into(),
        alias: "mytestkey".into(),
        secret: "letmein".to_owned().into(),
        scheme: RsaScheme::default(),
    }
}
