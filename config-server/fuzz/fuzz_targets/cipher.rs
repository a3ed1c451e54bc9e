#![no_main]

use std::sync::LazyLock;

use config_server_fuzz::engine::cipher::{KeyMaterial, Keys, RsaScheme, StoreKind, StoreMaterial};
use libfuzzer_sys::fuzz_target;

static JKS: &[u8] = include_bytes!("../../tests/data/conformance/keys/server.jks");

static KEYS: LazyLock<[Keys; 2]> = LazyLock::new(|| {
    let password = KeyMaterial::Text {
        key: "foo".to_owned().into(),
        salt: "deadbeef".into(),
    };
    let keys = |material| Keys::open(material).expect("good material");
    [keys(password), keys(KeyMaterial::Store(store(StoreKind::Jks, JKS)))]
});

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

// A cipher text, a plain text with selectors, and a key store.
fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    for keys in KEYS.iter() {
        let _ = keys.decrypt(&text);
        if let Ok(sealed) = keys.encrypt(&text, &mut |bytes: &mut [u8]| bytes.fill(7)) {
            let _ = keys.decrypt(&sealed);
        }
    }
    for kind in [StoreKind::Jks, StoreKind::Pkcs12] {
        let _ = Keys::open(KeyMaterial::Store(store(kind, bytes)));
    }
});
