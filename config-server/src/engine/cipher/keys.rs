//! The keys of the server, and what they open.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::envelope::{RsaKey, RsaScheme};
use super::opened::{Opened, OpenedKeys};
use super::prefix::{Selectors, strip};
use super::store::Store;
use super::symmetric::{IV, Mode, SecretKey};
use super::{CipherError, KeyError, Random, Zeroized, der};

const PEM_BEGIN: &str = "-----BEGIN RSA PRIVATE KEY-----";
const PEM_END: &str = "-----END RSA PRIVATE KEY-----";

/// What keys are made of: the settings, and the bytes they name.
#[derive(Clone)]
pub enum KeyMaterial {
    /// `encrypt.key`: a password, or an RSA private key in PEM; and `encrypt.salt`.
    Text { key: Zeroized, salt: String },
    /// `encrypt.key-store.*`
    Store(StoreMaterial),
}

/// A key store and the key in it that is used unless a text says otherwise.
#[derive(Clone)]
pub struct StoreMaterial {
    pub kind: StoreKind,
    pub bytes: Vec<u8>,
    pub password: Zeroized,
    pub alias: String,
    /// The key's own password.
    pub secret: Zeroized,
    pub scheme: RsaScheme,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    Jks,
    Pkcs12,
}

/// Decrypts and encrypts. Derived keys and opened texts are kept, bounded, and wiped when dropped.
pub struct Keys {
    source: KeySource,
    opened: Opened,
}

enum KeySource {
    None,
    Password(SecretKey),
    Rsa(RsaKey),
    Store(StoreKeys),
}

struct StoreKeys {
    store: Store,
    alias: String,
    secret: Zeroized,
    scheme: RsaScheme,
    default: Arc<RsaKey>,
    others: OpenedKeys,
}

impl Keys {
    /// No key: nothing can be decrypted.
    #[must_use]
    pub fn none() -> Self {
        Self::of(KeySource::None)
    }

    /// Derives or opens the keys.
    ///
    /// # Errors
    /// [`KeyError`] when the material cannot be used.
    pub fn open(material: KeyMaterial) -> Result<Self, KeyError> {
        let source = match material {
            KeyMaterial::Text { key, .. } if is_pem(&key) => {
                KeySource::Rsa(RsaKey::new(&pem_key(&key)?, RsaScheme::default())?)
            }
            KeyMaterial::Text { key, .. } if is_public(&key) => return Err(KeyError::Pem),
            KeyMaterial::Text { key, salt } => {
                let salt = hex::decode(salt.trim()).map_err(|_| KeyError::Salt)?;
                KeySource::Password(SecretKey::derive(key.as_bytes(), &salt))
            }
            KeyMaterial::Store(material) => KeySource::Store(StoreKeys::open(material)?),
        };
        Ok(Self::of(source))
    }

    /// Whether there is any key.
    #[must_use]
    pub fn is_installed(&self) -> bool {
        !matches!(self.source, KeySource::None)
    }

    /// Decrypts `text`, which may begin with selectors but not with the marker.
    ///
    /// # Errors
    /// [`CipherError`], the same for everything that can be wrong with the text.
    pub fn decrypt(&self, text: &str) -> Result<Arc<Zeroized>, CipherError> {
        self.opened.get_or_open(text, || {
            let payload = strip(text);
            let plain = match &self.source {
                KeySource::None => return Err(CipherError::NoKey),
                KeySource::Password(key) => {
                    let sealed = hex::decode(payload).map_err(|_| CipherError::Undecipherable)?;
                    key.open(Mode::Cbc, &sealed)?
                }
                KeySource::Rsa(key) => key.open(payload)?,
                KeySource::Store(keys) => keys.select(&Selectors::of(text))?.open(payload)?,
            };
            Ok(Zeroizing::new(String::from_utf8_lossy(&plain).into_owned()))
        })
    }

    /// Encrypts the text behind the selectors of `text`, and puts them in front again.
    ///
    /// # Errors
    /// [`CipherError`] when there is no key, not the one named, or it cannot encrypt.
    pub fn encrypt(&self, text: &str, random: Random<'_>) -> Result<String, CipherError> {
        let selectors = Selectors::of(text);
        let plain = strip(text).as_bytes();
        let sealed = match &self.source {
            KeySource::None => return Err(CipherError::NoKey),
            KeySource::Password(key) => {
                let mut iv = [0; IV];
                random(&mut iv);
                hex::encode(key.seal(Mode::Cbc, plain, iv)?)
            }
            KeySource::Rsa(key) => key.seal(plain, random)?,
            KeySource::Store(keys) => keys.select(&selectors)?.seal(plain, random)?,
        };
        Ok(selectors.to_prefix() + &sealed)
    }

    /// The public key in SSH's form; `None` for passwords.
    #[must_use]
    pub fn public_key(&self) -> Option<String> {
        match &self.source {
            KeySource::None | KeySource::Password(_) => None,
            KeySource::Rsa(key) => key.public_key(),
            KeySource::Store(keys) => keys.default.public_key(),
        }
    }

    fn of(source: KeySource) -> Self {
        Self {
            source,
            opened: Opened::default(),
        }
    }
}

impl StoreKeys {
    fn open(material: StoreMaterial) -> Result<Self, KeyError> {
        let store = Store::open(material.kind, &material.bytes, &material.password)?;
        let key = store.key(&material.alias, &material.secret).ok_or(KeyError::Alias)?;
        let default = RsaKey::new(&key, material.scheme.clone())?;
        Ok(Self {
            store,
            alias: material.alias,
            secret: material.secret,
            scheme: material.scheme,
            default: Arc::new(default),
            others: OpenedKeys::default(),
        })
    }

    /// The key that `selectors` name, the default one unless they do.
    fn select(&self, selectors: &Selectors) -> Result<Arc<RsaKey>, CipherError> {
        let alias = selectors.key().unwrap_or(&self.alias);
        let secret = selectors.secret().unwrap_or(&self.secret);
        if alias == self.alias && secret == self.secret.as_str() {
            return Ok(Arc::clone(&self.default));
        }
        self.others.get_or_open(alias, secret, || {
            let key = self.store.key(alias, secret).ok_or(CipherError::UnknownKey)?;
            RsaKey::new(&key, self.scheme.clone()).map_err(|_| CipherError::UnknownKey)
        })
    }
}

fn is_pem(key: &str) -> bool {
    key.contains("RSA PRIVATE KEY")
}

fn is_public(key: &str) -> bool {
    key.starts_with("ssh-rsa") || key.contains("RSA PUBLIC KEY")
}

/// The key between the lines of PEM; line breaks are optional.
fn pem_key(text: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let (_, inner) = text.split_once(PEM_BEGIN).ok_or(KeyError::Pem)?;
    let (inner, _) = inner.split_once(PEM_END).ok_or(KeyError::Pem)?;
    let digits: Zeroized = Zeroizing::new(inner.chars().filter(|c| !c.is_whitespace()).collect());
    let pkcs1 = Zeroizing::new(STANDARD.decode(digits.as_bytes()).map_err(|_| KeyError::Pem)?);
    Ok(Zeroizing::new(der::pkcs8_of_pkcs1(&pkcs1)))
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source: Cow<'_, str> = match &self.source {
            KeySource::None => "none".into(),
            KeySource::Password(_) => "a password".into(),
            KeySource::Rsa(key) => format!("{key:?}").into(),
            KeySource::Store(keys) => format!("{:?} of a store", keys.default).into(),
        };
        write!(f, "Keys({source})")
    }
}

impl fmt::Debug for KeyMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyMaterial(***)")
    }
}

impl fmt::Debug for StoreMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreMaterial({:?}, ***)", self.kind)
    }
}
