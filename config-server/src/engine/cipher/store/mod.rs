//! Key stores as Java's keytool writes them: bytes in, PKCS#8 keys and certificates out.

mod jks;

use std::fmt;

use p12_keystore::{KeyStore, KeyStoreEntry};
use zeroize::Zeroizing;

use super::keys::StoreKind;
use super::{KeyError, Zeroized};

/// What a key store holds for TLS, all of it DER.
#[derive(Default)]
pub struct TlsMaterial {
    /// The first private key.
    pub identity: Option<TlsIdentity>,
    /// The certificates without a key: those to trust.
    pub trusted: Vec<Vec<u8>>,
}

/// A private key with its certificates.
pub struct TlsIdentity {
    /// The key's own certificate, then those that vouch for it.
    pub chain: Vec<Vec<u8>>,
    /// PKCS#8.
    pub key: Zeroizing<Vec<u8>>,
}

/// An opened store.
pub(super) enum Store {
    Jks(jks::Store),
    /// PKCS#12 has one password for the store and its keys.
    Pkcs12 {
        store: KeyStore,
        password: Zeroized,
    },
}

impl TlsMaterial {
    /// Reads the store in `bytes`.
    ///
    /// # Errors
    /// [`KeyError::Store`] when it cannot be opened: another format, or another password.
    pub fn read(kind: StoreKind, bytes: &[u8], password: &str) -> Result<Self, KeyError> {
        Ok(match Store::open(kind, bytes, password)? {
            Store::Jks(store) => Self {
                identity: store.identity(password),
                trusted: store.trusted().to_vec(),
            },
            Store::Pkcs12 { store, .. } => Self {
                identity: store.private_key_chain().map(|(_, entry)| TlsIdentity {
                    chain: entry.chain().iter().map(|one| one.as_der().to_vec()).collect(),
                    key: Zeroizing::new(entry.key().to_vec()),
                }),
                trusted: store.entries().filter_map(|(_, entry)| trusted(entry)).collect(),
            },
        })
    }
}

impl fmt::Debug for TlsMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsMaterial(***)")
    }
}

impl fmt::Debug for TlsIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsIdentity(***)")
    }
}

impl Store {
    /// Opens the store in `bytes`.
    pub(super) fn open(kind: StoreKind, bytes: &[u8], password: &str) -> Result<Self, KeyError> {
        match kind {
            StoreKind::Jks => jks::Store::open(bytes, password)
                .map(Self::Jks)
                .ok_or(KeyError::Store("JKS")),
            StoreKind::Pkcs12 => match KeyStore::from_pkcs12(bytes, password) {
                Ok(store) => Ok(Self::Pkcs12 {
                    store,
                    password: Zeroizing::new(password.to_owned()),
                }),
                Err(_) => Err(KeyError::Store("PKCS#12")),
            },
        }
    }

    /// The private key under `alias`, whatever the case of its letters, in PKCS#8.
    pub(super) fn key(&self, alias: &str, password: &str) -> Option<Zeroizing<Vec<u8>>> {
        match self {
            Self::Jks(store) => store.key(alias, password),
            Self::Pkcs12 { store, password: own } => {
                let (_, entry) = store.entries().find(|(name, _)| same_alias(name, alias))?;
                match entry {
                    KeyStoreEntry::PrivateKeyChain(chain) if own.as_str() == password => {
                        Some(Zeroizing::new(chain.key().to_vec()))
                    }
                    _ => None,
                }
            }
        }
    }
}

fn trusted(entry: &KeyStoreEntry) -> Option<Vec<u8>> {
    match entry {
        KeyStoreEntry::Certificate(certificate) => Some(certificate.as_der().to_vec()),
        _ => None,
    }
}

fn same_alias(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}
