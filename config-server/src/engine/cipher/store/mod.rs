//! Key stores as Java's keytool writes them: bytes in, PKCS#8 keys out.

mod jks;

use p12_keystore::{KeyStore, KeyStoreEntry};
use zeroize::Zeroizing;

use super::keys::StoreKind;
use super::{KeyError, Zeroized};

/// An opened store.
pub(super) enum Store {
    Jks(jks::Store),
    /// PKCS#12 has one password for the store and its keys.
    Pkcs12 {
        store: KeyStore,
        password: Zeroized,
    },
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

fn same_alias(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}
