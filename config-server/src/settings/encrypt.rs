//! Keys and what they open: `encrypt.*`, `spring.cloud.config.server.encrypt.*`.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::load::Files;
pub use super::secret::Secret;
use crate::engine::cipher::{KeyError, KeyMaterial, Keys, RsaScheme, StoreKind, StoreMaterial};

/// The salt of keys and session keys unless another is set (contract 4.3, 4.4).
const SALT: &str = "deadbeef";

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

/// Why the keys of the settings cannot be used. Names no path and no secret.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeysError {
    #[error("the key store cannot be read")]
    Read(#[source] io::Error),
    #[error("there is no key store at its location")]
    Absent,
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl EncryptSettings {
    /// Reads the key store, if there is one, and opens the keys. A key store wins over `encrypt.key`.
    ///
    /// # Errors
    /// [`KeysError`] when there are settings for keys that cannot be used.
    pub fn keys(&self, files: &dyn Files) -> Result<Keys, KeysError> {
        let material = match (&self.key_store, &self.key) {
            (Some(store), _) => KeyMaterial::Store(self.store(store, files)?),
            (None, Some(key)) => KeyMaterial::Text {
                key: key.expose().to_owned().into(),
                salt: self.salt.clone().unwrap_or_else(|| SALT.into()),
            },
            (None, None) => return Ok(Keys::none()),
        };
        Ok(Keys::open(material)?)
    }

    fn store(&self, store: &KeyStoreSettings, files: &dyn Files) -> Result<StoreMaterial, KeysError> {
        let bytes = files.read(&store.location).map_err(KeysError::Read)?;
        Ok(StoreMaterial {
            kind: match store.kind {
                KeyStoreKind::Jks => StoreKind::Jks,
                KeyStoreKind::Pkcs12 => StoreKind::Pkcs12,
            },
            bytes: bytes.ok_or(KeysError::Absent)?,
            password: store.password.expose().to_owned().into(),
            alias: store.alias.clone(),
            secret: store
                .secret
                .as_ref()
                .unwrap_or(&store.password)
                .expose()
                .to_owned()
                .into(),
            scheme: RsaScheme {
                oaep: self.rsa.oaep,
                strong: self.rsa.strong,
                salt: self.rsa.salt.clone().unwrap_or_else(|| SALT.into()),
            },
        })
    }
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
