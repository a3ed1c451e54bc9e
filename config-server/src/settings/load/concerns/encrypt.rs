//! `encrypt.*` and what is decrypted.

use super::Binder;
use crate::settings::encrypt::{EncryptSettings, KeyStoreKind, KeyStoreSettings, RsaSettings, Secret};
use crate::settings::load::fault::Reason;
use crate::settings::load::known::{Group, Kind, key};
use crate::settings::load::view::View;

pub(crate) static GROUP: Group = Group {
    title: "Keys",
    prefixes: &["encrypt"],
    keys: &[
        key(
            "key",
            Kind::Secret,
            "",
            "A password, or an RSA private key in PEM (`RSA PRIVATE KEY`).",
        ),
        key("salt", Kind::Text, "deadbeef", "Salt of the password, hexadecimal."),
        key(
            "key-store.location",
            Kind::Path,
            "",
            "A key store with an RSA key: `file:` or a path.",
        ),
        key("key-store.password", Kind::Secret, "", "Opens the store."),
        key("key-store.alias", Kind::Text, "", "The key in it."),
        key(
            "key-store.secret",
            Kind::Secret,
            "",
            "The key's own password; the store's unless set.",
        ),
        key(
            "key-store.type",
            Kind::Choice(&["jks", "pkcs12"]),
            "jks",
            "What the store is.",
        ),
        key(
            "rsa.algorithm",
            Kind::Choice(&["DEFAULT", "OAEP"]),
            "DEFAULT",
            "How the session key is wrapped.",
        ),
        key("rsa.strong", Kind::Flag, "false", "AES in GCM instead of CBC."),
        key(
            "rsa.salt",
            Kind::Text,
            "deadbeef",
            "Salt of session keys, hexadecimal or any text.",
        ),
        key(
            "fail-on-error",
            Kind::Ignored,
            "",
            "For clients that decrypt by themselves.",
        ),
    ],
};

pub(crate) static SERVING: Group = Group {
    title: "Decryption of answers",
    prefixes: &["spring.cloud.config.server.encrypt"],
    keys: &[
        key(
            "enabled",
            Kind::Flag,
            "true",
            "Decrypt `{cipher}` values in environments.",
        ),
        key(
            "plainTextEncrypt",
            Kind::Flag,
            "false",
            "Decrypt `{cipher}` values in plain `json`, `properties`, `yml` and `yaml` files. Like the stock server, this reads the name in exactly this spelling.",
        ),
        key(
            "prefix-invalid-properties",
            Kind::Flag,
            "true",
            "A value that cannot be decrypted becomes `invalid.<key>` with the value `<n/a>`.",
        ),
    ],
};

/// The stock server looks this one name up as it is spelt; `plain-text-encrypt` has no effect there.
const PLAIN_TEXT: &str = "plainTextEncrypt";

pub(crate) fn bind(binder: &Binder<'_>) -> EncryptSettings {
    let view = binder.open(&GROUP);
    let serving = binder.open(&SERVING);
    EncryptSettings {
        key: view.secret("key"),
        salt: view.written("salt").map(|written| written.text.clone()),
        key_store: key_store(&view),
        rsa: RsaSettings {
            oaep: view.choice("rsa.algorithm") == 1,
            strong: view.flag("rsa.strong"),
            salt: view.written("rsa.salt").map(|written| written.text.clone()),
        },
        enabled: serving.flag("enabled"),
        plain_text: plain_text(&serving),
        prefix_invalid: serving.flag("prefix-invalid-properties"),
    }
}

fn key_store(view: &View<'_>) -> Option<KeyStoreSettings> {
    let location = view.path("key-store.location")?;
    let need = |name: &str| {
        view.text(name).unwrap_or_else(|| {
            view.fault(name, Reason::Missing("`encrypt.key-store.location` is set"));
            String::new()
        })
    };
    Some(KeyStoreSettings {
        location,
        password: Secret::new(need("key-store.password")),
        alias: need("key-store.alias"),
        secret: view.secret("key-store.secret"),
        kind: match view.choice("key-store.type") {
            1 => KeyStoreKind::Pkcs12,
            _ => KeyStoreKind::Jks,
        },
    })
}

fn plain_text(view: &View<'_>) -> bool {
    let exact = |key: &str| key.ends_with(PLAIN_TEXT);
    match view.written(PLAIN_TEXT) {
        Some(written) if exact(&written.key) => view.flag(PLAIN_TEXT),
        _ => false,
    }
}
