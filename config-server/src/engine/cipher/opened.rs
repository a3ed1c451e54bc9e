//! What was opened before. A page of 200 RSA values costs a third of a second; opened once, nothing.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use moka::sync::Cache;

use super::envelope::RsaKey;
use super::{CipherError, Zeroized};

/// Bytes of plain text kept.
const PLAIN_BYTES: u64 = 4 * 1024 * 1024;
/// Keys of a store kept besides the default one.
const KEYS: usize = 32;

/// Plain texts by the digest of their cipher texts.
#[derive(Clone)]
pub(super) struct Opened(Cache<[u8; 32], Arc<Zeroized>>);

/// Keys of a store by alias and password.
#[derive(Default)]
pub(super) struct OpenedKeys(Mutex<Vec<OpenedKey>>);

struct OpenedKey {
    alias: String,
    secret: Zeroized,
    key: Arc<RsaKey>,
}

impl Opened {
    /// The plain text of `text`, opened with `open` unless it was before. Failures are not kept.
    pub(super) fn get_or_open(
        &self,
        text: &str,
        open: impl FnOnce() -> Result<Zeroized, CipherError>,
    ) -> Result<Arc<Zeroized>, CipherError> {
        let id = identity(text);
        if let Some(plain) = self.0.get(&id) {
            return Ok(plain);
        }
        let plain = Arc::new(open()?);
        self.0.insert(id, Arc::clone(&plain));
        Ok(plain)
    }
}

impl OpenedKeys {
    pub(super) fn get_or_open(
        &self,
        alias: &str,
        secret: &str,
        open: impl FnOnce() -> Result<RsaKey, CipherError>,
    ) -> Result<Arc<RsaKey>, CipherError> {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = keys
            .iter()
            .find(|known| known.alias == alias && known.secret.as_str() == secret)
        {
            return Ok(Arc::clone(&known.key));
        }
        let key = Arc::new(open()?);
        if keys.len() == KEYS {
            keys.remove(0);
        }
        keys.push(OpenedKey {
            alias: alias.to_owned(),
            secret: secret.to_owned().into(),
            key: Arc::clone(&key),
        });
        Ok(key)
    }
}

fn identity(text: &str) -> [u8; 32] {
    let digest = digest(&SHA256, text.as_bytes());
    digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

impl Default for Opened {
    fn default() -> Self {
        let weight = |_: &[u8; 32], plain: &Arc<Zeroized>| u32::try_from(plain.len() + 64).unwrap_or(u32::MAX);
        Self(Cache::builder().max_capacity(PLAIN_BYTES).weigher(weight).build())
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opened(***)")
    }
}
