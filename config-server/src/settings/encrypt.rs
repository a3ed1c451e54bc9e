//! Keys and what they open: `encrypt.*`, `spring.cloud.config.server.encrypt.*`.

use std::fmt;
use std::path::PathBuf;

use zeroize::Zeroizing;

/// A text that is never printed and is wiped when dropped.
#[derive(Clone, Default)]
pub struct Secret(Zeroizing<String>);

/// `encrypt.*`
#[derive(Debug, Clone)]
pub struct EncryptSettings {
    /// `encrypt.key`: a password, or an RSA private key in PEM.
    pub key: Option<Secret>,
    /// `encrypt.salt`, hexadecimal; `deadbeef` unless set.
    pub salt: Option<String>,
    pub key_store: Option<KeyStoreSettings>,
    pub rsa: RsaSettings,
    /// `spring.cloud.config.server.encrypt.enabled`: decrypt what is served.
    pub enabled: bool,
    /// `...encrypt.plain-text-encrypt`: also in plain files.
    pub plain_text: bool,
    /// `...encrypt.prefix-invalid-properties`
    pub prefix_invalid: bool,
}

/// `encrypt.key-store.*`
#[derive(Debug, Clone)]
pub struct KeyStoreSettings {
    /// Read from `location`, a `file:` URL or a path.
    pub location: PathBuf,
    pub password: Secret,
    pub alias: String,
    /// The key's own password; the store's unless set.
    pub secret: Option<Secret>,
    pub kind: KeyStoreKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyStoreKind {
    #[default]
    Jks,
    Pkcs12,
}

/// `encrypt.rsa.*`
#[derive(Debug, Clone, Default)]
pub struct RsaSettings {
    pub oaep: bool,
    pub strong: bool,
    /// `deadbeef` unless set.
    pub salt: Option<String>,
}

impl Default for EncryptSettings {
    fn default() -> Self {
        Self {
            key: None,
            salt: None,
            key_store: None,
            rsa: RsaSettings::default(),
            enabled: true,
            plain_text: false,
            prefix_invalid: true,
        }
    }
}

impl Secret {
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself: only where it is used, never where it could be printed.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
