use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::engine::document::Limits;
use crate::engine::resolve::Source;
use crate::engine::value::{Origin, Property, Value};

fn password(key: &str) -> Keys {
    let material = KeyMaterial::Text {
        key: key.to_owned().into(),
        salt: "deadbeef".into(),
    };
    Keys::open(material).expect("a password")
}

fn store_material(kind: StoreKind) -> StoreMaterial {
    let file = match kind {
        StoreKind::Jks => "server.jks",
        StoreKind::Pkcs12 => "server.p12",
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/conformance/keys")
        .join(file);
    StoreMaterial {
        kind,
        bytes: std::fs::read(path).expect("a key store"),
        password: "letmein".to_owned().into(),
        alias: "mytestkey".into(),
        secret: "letmein".to_owned().into(),
        scheme: RsaScheme::default(),
    }
}

fn store(kind: StoreKind, scheme: RsaScheme) -> Keys {
    let material = StoreMaterial {
        scheme,
        ..store_material(kind)
    };
    Keys::open(KeyMaterial::Store(material)).expect("a store")
}

/// Counts up: every run encrypts alike.
fn counting() -> impl FnMut(&mut [u8]) {
    let mut next = 0;
    move |bytes: &mut [u8]| {
        for byte in bytes {
            *byte = next;
            next = next.wrapping_add(1);
        }
    }
}

fn properties(pairs: &[(&str, &str)]) -> Source {
    let property = |&(key, text): &(&str, &str)| Property {
        key: key.into(),
        value: Value::Text(text.into()),
        origin: Some(Origin { line: 1, column: 1 }),
    };
    Source {
        name: "test".into(),
        properties: pairs.iter().map(property).collect(),
    }
}

fn decrypted(pairs: &[(&str, &str)], keys: &Keys, prefix_invalid: bool) -> Vec<String> {
    let mut sources = [properties(pairs)];
    decrypt(&mut sources, keys, prefix_invalid);
    let shown = |property: &Property| match &property.value {
        Value::Text(text) => format!(
            "{}={text}{}",
            property.key,
            if property.origin.is_some() { " @" } else { "" }
        ),
        other => panic!("{other:?}"),
    };
    sources[0].properties.iter().map(shown).collect()
}

const MYSECRET: &str = "5f317291da5e947dbadc4aca96d9dfead63f35d83c1e5357752e5bc77ab52abe";

#[test]
fn the_vectors_of_the_stock_server_open() {
    let keys = password("foo");
    for text in [
        "75d75f886fae24ccdec9538eb9e60da6e8e5ad9c805fd42b634280743b840341",
        "000102030405060708090a0b0c0d0e0f92c516ebbdf9aecbb68f22247c57812d",
        "000102030405060708090A0B0C0D0E0F92C516EBBDF9AECBB68F22247C57812D",
        "{key:any}000102030405060708090a0b0c0d0e0f92c516ebbdf9aecbb68f22247c57812d",
        MYSECRET,
    ] {
        assert_eq!(keys.decrypt(text).expect(text).as_str(), "mysecret");
    }
}

#[test]
fn a_password_encrypts_as_the_stock_server_does() {
    let sealed = password("foo").encrypt("{key:k}mysecret", &mut counting());
    assert_eq!(
        sealed.expect("sealed"),
        "{key:k}000102030405060708090a0b0c0d0e0f92c516ebbdf9aecbb68f22247c57812d"
    );
}

#[test]
fn every_kind_of_key_opens_what_it_sealed() {
    let oaep = |strong| RsaScheme {
        oaep: true,
        strong,
        salt: "foobar".into(),
    };
    for keys in [
        password("p@ss wörd"),
        store(StoreKind::Jks, RsaScheme::default()),
        store(StoreKind::Pkcs12, RsaScheme::default()),
        store(StoreKind::Jks, oaep(false)),
        store(StoreKind::Pkcs12, oaep(true)),
    ] {
        for plain in ["", "x", "p@ss=wörd: #1\n{a}", &"long ".repeat(1000)] {
            let sealed = keys
                .encrypt(&format!("{{plain}}{plain}"), &mut counting())
                .expect("sealed");
            assert_eq!(keys.decrypt(&sealed).expect("opened").as_str(), plain, "{keys:?}");
        }
    }
}

#[test]
fn what_is_no_cipher_text_of_the_key_fails_alike() {
    let rsa = store(StoreKind::Jks, RsaScheme::default());
    let sealed = rsa.encrypt("x", &mut counting()).expect("sealed");
    let mut broken = sealed.clone().into_bytes();
    broken[300] = if broken[300] == b'A' { b'B' } else { b'A' };
    let broken = String::from_utf8(broken).expect("ASCII");
    for text in [
        "",
        "zz",
        "00",
        "AQ==",
        &sealed[4..],
        &sealed[..sealed.len() - 8],
        &broken,
        MYSECRET,
    ] {
        assert_eq!(
            rsa.decrypt(text).expect_err(text),
            CipherError::Undecipherable,
            "{text}"
        );
    }
    for (text, error) in [
        ("", CipherError::TooShort),
        ("00", CipherError::TooShort),
        ("0", CipherError::Undecipherable),
        ("nothex!", CipherError::Undecipherable),
        (&MYSECRET[..60], CipherError::Undecipherable),
        (&format!("{MYSECRET}\n"), CipherError::Undecipherable),
        (&sealed, CipherError::Undecipherable),
    ] {
        assert_eq!(password("foo").decrypt(text).expect_err(text), error, "{text}");
    }
    assert_eq!(Keys::none().decrypt(MYSECRET).expect_err("no key"), CipherError::NoKey);
}

#[test]
fn a_text_may_name_its_key() {
    for kind in [StoreKind::Jks, StoreKind::Pkcs12] {
        let keys = store(kind, RsaScheme::default());
        let sealed = keys.encrypt("x", &mut counting()).expect("sealed");
        for (prefix, opens) in [
            ("{key:mytestkey}", true),
            ("{key:MyTestKey}", true),
            ("{secret:letmein}", true),
            ("{key:other}", false),
            ("{secret:other}{key:mytestkey}", false),
        ] {
            let opened = keys.decrypt(&format!("{prefix}{sealed}"));
            assert_eq!(opened.is_ok(), opens, "{kind:?} {prefix}: {opened:?}");
        }
        let unknown = keys.encrypt("{key:other}x", &mut counting());
        assert_eq!(unknown, Err(CipherError::UnknownKey));
    }
}

#[test]
fn both_stores_hold_a_usable_public_key() {
    for kind in [StoreKind::Jks, StoreKind::Pkcs12] {
        let key = store(kind, RsaScheme::default()).public_key().expect("a public key");
        assert!(
            key.starts_with("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ") && key.ends_with(" application"),
            "{key}"
        );
    }
    assert_eq!(password("foo").public_key(), None);
}

#[test]
fn a_private_key_in_pem_is_a_key() {
    use base64::Engine as _;
    let material = store_material(StoreKind::Jks);
    let store = store::Store::open(StoreKind::Jks, &material.bytes, "letmein").expect("a store");
    let pkcs8 = store.key("mytestkey", "letmein").expect("a key");
    // The PKCS#1 key is the octet string at the end of the PKCS#8 one.
    let pkcs1 = &pkcs8[26..];
    let base64 = base64::engine::general_purpose::STANDARD.encode(pkcs1);
    let pem = format!("-----BEGIN RSA PRIVATE KEY-----\n{base64}\n-----END RSA PRIVATE KEY-----");
    let text = |key: &str| KeyMaterial::Text {
        key: key.to_owned().into(),
        salt: "not used".into(),
    };
    let keys = Keys::open(text(&pem)).expect("a key in PEM");
    let sealed = keys.encrypt("x", &mut counting()).expect("sealed");
    let same = Keys::open(KeyMaterial::Store(material)).expect("a store");
    assert_eq!(same.decrypt(&sealed).expect("opened").as_str(), "x");
    assert_eq!(keys.public_key(), same.public_key());
    for bad in ["ssh-rsa AAAA", "-----BEGIN RSA PUBLIC KEY-----", "RSA PRIVATE KEY"] {
        assert_eq!(Keys::open(text(bad)).err(), Some(KeyError::Pem), "{bad}");
    }
}

#[test]
fn a_store_that_cannot_be_used_says_why() {
    for kind in [StoreKind::Jks, StoreKind::Pkcs12] {
        let open = |change: fn(&mut StoreMaterial)| {
            let mut material = store_material(kind);
            change(&mut material);
            Keys::open(KeyMaterial::Store(material)).err()
        };
        assert!(matches!(
            open(|m| m.password = "x".to_owned().into()),
            Some(KeyError::Store(_))
        ));
        assert!(matches!(open(|m| m.bytes.truncate(100)), Some(KeyError::Store(_))));
        assert!(matches!(open(|m| m.bytes.clear()), Some(KeyError::Store(_))));
        assert_eq!(open(|m| m.alias = "other".into()), Some(KeyError::Alias));
        assert_eq!(open(|m| m.secret = "other".to_owned().into()), Some(KeyError::Alias));
    }
    let salt = KeyMaterial::Text {
        key: "foo".to_owned().into(),
        salt: "nothex".into(),
    };
    assert_eq!(Keys::open(salt).err(), Some(KeyError::Salt));
}

#[test]
fn decrypted_properties_move_to_the_end_and_lose_their_origin() {
    let sealed = format!("{{cipher}}{MYSECRET}");
    let mid = format!("a{sealed}");
    let pairs = [
        ("a", sealed.as_str()),
        ("b", "x"),
        ("c", sealed.as_str()),
        ("d", mid.as_str()),
    ];
    assert_eq!(
        decrypted(&pairs, &password("foo"), true),
        [
            "b=x @".to_owned(),
            format!("d={mid} @"),
            "a=mysecret".into(),
            "c=mysecret".into()
        ]
    );
}

#[test]
fn what_cannot_be_decrypted_is_marked_invalid() {
    let pairs = [
        ("bad", "{cipher}deadbeef"),
        ("nothex", "{cipher}zz"),
        ("empty", "{cipher}"),
        ("ok", "1"),
        ("invalid.bad", "here before"),
    ];
    let keys = password("foo");
    assert_eq!(
        decrypted(&pairs, &keys, true),
        [
            "ok=1 @",
            "invalid.bad=<n/a>",
            "invalid.nothex=<n/a>",
            "invalid.empty=<n/a>"
        ]
    );
    assert_eq!(
        decrypted(&pairs[..3], &keys, false),
        ["bad=deadbeef", "nothex=zz", "empty="]
    );
    assert_eq!(decrypted(&pairs[..1], &Keys::none(), true), ["invalid.bad=<n/a>"]);
}

#[test]
fn values_in_plain_files_are_replaced_where_they_stand() {
    let keys = password("foo");
    let open = |name: &str, text: &str| decrypt_file(name, text.to_owned(), &keys, &Limits::default());
    let sealed = format!("{{cipher}}{MYSECRET}");
    for (name, text, expected) in [
        (
            "a.yml",
            format!("# {sealed}\na: '{sealed}' # kept\n"),
            "# mysecret\na: 'mysecret' # kept\n",
        ),
        (
            "a.json",
            format!("{{ \"a\": [\"{sealed}\"], \"b\" : 1 }}"),
            "{ \"a\": [\"mysecret\"], \"b\" : 1 }",
        ),
        ("a.properties", format!("a={sealed}\n"), "a=mysecret\n"),
    ] {
        assert_eq!(open(name, &text).as_deref(), Ok(expected), "{name}");
    }
    for (name, text) in [
        ("a.txt", format!("a: {sealed}")),
        ("a.properties", format!("a='{sealed}'")),
        ("a.yml", format!("a: x{sealed}")),
        ("a.yml", format!("\tbroken: [{sealed}")),
    ] {
        assert_eq!(open(name, &text).as_deref(), Ok(text.as_str()), "{name}");
    }
    assert_eq!(open("a.yml", "a: '{cipher}zz'"), Err(CipherError::Undecipherable));
}

#[test]
fn no_secret_is_printed() {
    let material = KeyMaterial::Store(store_material(StoreKind::Jks));
    let keys = password("hush");
    let shown = format!(
        "{material:?} {keys:?} {:?}",
        store(StoreKind::Jks, RsaScheme::default())
    );
    assert!(!shown.contains("letmein") && !shown.contains("hush"), "{shown}");
}

proptest! {
    #[test]
    fn any_text_is_sealed_and_opened(plain in ".*") {
        let keys = password("foo");
        let sealed = keys.encrypt(&format!("{{plain}}{plain}"), &mut counting()).expect("sealed");
        let opened = keys.decrypt(&sealed).expect("opened");
        prop_assert_eq!(opened.as_str(), plain);
    }

    #[test]
    fn no_text_makes_the_keys_panic(text in "(\\{(cipher|key|name|secret|plain)?:?[a-z]?\\}|[0-9a-f]{2}|.)*") {
        let _ = password("foo").decrypt(&text);
        let _ = prefix::Selectors::of(&text).to_prefix();
    }

    #[test]
    fn no_bytes_are_a_store_by_chance(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for kind in [StoreKind::Jks, StoreKind::Pkcs12] {
            let material = StoreMaterial { bytes: bytes.clone(), ..store_material(kind) };
            prop_assert!(Keys::open(KeyMaterial::Store(material)).is_err());
        }
    }
}
