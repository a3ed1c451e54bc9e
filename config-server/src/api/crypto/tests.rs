use std::path::{Path, PathBuf};

use serde_json::Value;

use super::*;
use crate::api::path::{Asked, Route, parse};
use crate::engine::cipher::{KeyMaterial, RsaScheme, StoreKind, StoreMaterial};

const RULES: Rules = Rules {
    validate_profiles: true,
    applications: 8,
    profiles: 8,
};

fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/conformance")
        .join(path)
}

fn password() -> Keys {
    let material = KeyMaterial::Text {
        key: "foo".to_owned().into(),
        salt: "deadbeef".into(),
    };
    Keys::open(material).expect("a password")
}

fn store(kind: StoreKind, file: &str, strong_oaep: bool) -> Keys {
    let material = StoreMaterial {
        kind,
        bytes: std::fs::read(data(file)).expect("a key store"),
        password: "letmein".to_owned().into(),
        alias: "mytestkey".into(),
        secret: "letmein".to_owned().into(),
        scheme: RsaScheme {
            oaep: strong_oaep,
            strong: strong_oaep,
            ..RsaScheme::default()
        },
    };
    Keys::open(KeyMaterial::Store(material)).expect("a store")
}

fn post(keys: &Keys, path: &str, content_type: &str, body: &str) -> CryptoAnswer {
    ask(keys, path, true, Some(content_type), body).expect("a crypto route")
}

fn ask(keys: &Keys, path: &str, post: bool, content_type: Option<&str>, body: &str) -> Option<CryptoAnswer> {
    let asked = Asked {
        post,
        ..Asked::default()
    };
    let Route::Crypto(crypto) = parse(path, asked) else {
        return None;
    };
    let posted = Posted {
        content_type,
        body: body.as_bytes(),
    };
    Some(answer(keys, &RULES, &crypto, posted, &mut |bytes| bytes.fill(7)))
}

/// Status, content type, body, as far as the route decides them.
fn seen(answer: &CryptoAnswer) -> (u16, &'static str, String) {
    match answer {
        CryptoAnswer::Text(text) => (200, "text/plain;charset=UTF-8", text.clone()),
        CryptoAnswer::Status(code, status) => (
            code.as_u16(),
            "application/json",
            serde_json::to_string(status).expect("a status"),
        ),
        CryptoAnswer::Error(error) => (error.status.as_u16(), "application/json", String::new()),
    }
}

/// Replays a suite; says how many of its cases are about these routes.
fn replay(suite: &str, keys: &Keys) -> usize {
    let path = data(&format!("cases/encrypt-{suite}.json"));
    let suite: Value = serde_json::from_slice(&std::fs::read(path).expect("a suite")).expect("JSON");
    let cases = suite["cases"].as_array().expect("cases");
    cases.iter().filter(|case| replay_case(case, keys)).count()
}

fn replay_case(case: &Value, keys: &Keys) -> bool {
    let (request, response) = (&case["request"], &case["response"]);
    let path = request["path"].as_str().expect("a path");
    let is_post = request["method"] == "POST";
    let is_for_us = is_post || path.starts_with("/key") || path == "/encrypt/status";
    let content_type = request["headers"]["Content-Type"].as_str();
    let posted = request["body"].as_str().unwrap_or_default();
    let answer = ask(keys, path, is_post, content_type, posted).filter(|_| is_for_us);
    let Some(answer) = answer else {
        return false;
    };
    let (status, content_type, body) = seen(&answer);
    assert_eq!(Some(u64::from(status)), response["status"].as_u64(), "{case}");
    if case["compare"] != "status" {
        assert_eq!(Some(content_type), response["content_type"].as_str(), "{case}");
    }
    match case["compare"].as_str() {
        Some("bytes") => assert_eq!(Some(body.as_str()), response["body"].as_str(), "{case}"),
        Some("json" | "error") if !body.is_empty() => {
            let parse = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
            let recorded = parse(response["body"].as_str().expect("a body"));
            assert_eq!(parse(&body)["status"], recorded["status"], "{case}");
        }
        _ => {}
    }
    true
}

#[test]
fn the_recorded_answers_of_the_stock_server_are_given() {
    assert_eq!(replay("sym", &password()), 18);
    assert_eq!(replay("jks", &store(StoreKind::Jks, "keys/server.jks", false)), 18);
    assert_eq!(replay("p12", &store(StoreKind::Pkcs12, "keys/server.p12", false)), 18);
    assert_eq!(replay("oaep", &store(StoreKind::Jks, "keys/server.jks", true)), 18);
    assert_eq!(replay("none", &Keys::none()), 11);
    assert_eq!(replay("off", &password()), 1);
}

#[test]
fn what_is_encrypted_is_decrypted_again() {
    let keys = password();
    for plain in ["hello", "a=b&c", "line\nbreak", "p@ss=wörd: #1", "x="] {
        let CryptoAnswer::Text(sealed) = post(&keys, "/encrypt", "text/plain", plain) else {
            panic!("no text");
        };
        let opened = post(&keys, "/decrypt/foo/dev", "text/plain", &sealed);
        assert_eq!(opened, CryptoAnswer::Text(plain.into()));
    }
}

#[test]
fn a_form_loses_what_the_container_added() {
    let keys = password();
    let CryptoAnswer::Text(sealed) = post(&keys, "/encrypt", FORM, "hello world") else {
        panic!("no text");
    };
    assert_eq!(
        post(&keys, "/decrypt", FORM, &sealed),
        CryptoAnswer::Text("hello world".into())
    );
}

#[test]
fn the_prefix_is_given_back() {
    let CryptoAnswer::Text(sealed) = post(&password(), "/encrypt", "text/plain", "{key:other}{secret:s}hello") else {
        panic!("no text");
    };
    assert!(sealed.starts_with("{key:other}{secret:s}0707"), "{sealed}");
}

#[test]
fn bad_requests_are_refused() {
    let keys = password();
    let status = |answer: &CryptoAnswer| seen(answer).0;
    let untyped = ask(&keys, "/encrypt", true, None, "x").expect("a crypto route");
    assert_eq!(status(&untyped), 400);
    assert_eq!(status(&post(&keys, "/encrypt", "text/plain", "")), 400);
    assert_eq!(status(&post(&keys, "/encrypt/a..b/dev", "text/plain", "x")), 400);
    assert_eq!(status(&post(&keys, "/decrypt/foo/-dev", "text/plain", "x")), 400);
    let store = store(StoreKind::Jks, "keys/server.jks", false);
    assert_eq!(status(&post(&store, "/encrypt", "text/plain", "{key:nobody}x")), 500);
}
