//! The JKS format: entries in a row, each key under a keystream of SHA-1, a digest at the end.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};
use zeroize::Zeroizing;

use super::{TlsIdentity, same_alias};
use crate::engine::cipher::der;

const MAGIC: u32 = 0xfeed_feed;
const VERSIONS: [u32; 2] = [1, 2];
const KEY: u32 = 1;
const CERTIFICATE: u32 = 2;
/// Goes into the store's digest after the password.
const WHITENER: &[u8] = b"Mighty Aphrodite";
const DIGEST: usize = 20;

/// The entries of an opened store.
pub(in crate::engine::cipher) struct Store {
    keys: Vec<Key>,
    trusted: Vec<Vec<u8>>,
}

/// A private key, still encrypted, and the certificates that go with it.
struct Key {
    alias: String,
    info: Vec<u8>,
    chain: Vec<Vec<u8>>,
}

enum Entry {
    Key(Key),
    /// A certificate without a key: one to trust.
    Trusted(Vec<u8>),
}

/// Reads big-endian fields one after the other.
struct Fields<'b>(&'b [u8]);

impl Store {
    /// `None` when this is no JKS store or the password is wrong.
    pub(super) fn open(bytes: &[u8], password: &str) -> Option<Self> {
        let (content, digest) = bytes.split_last_chunk::<DIGEST>()?;
        let expected = sha1(&[&utf16(password), WHITENER, content]);
        verify_slices_are_equal(&expected, digest).ok()?;
        let mut fields = Fields(content);
        let (magic, version, count) = (fields.number()?, fields.number()?, fields.number()?);
        if magic != MAGIC || !VERSIONS.contains(&version) {
            return None;
        }
        let (mut keys, mut trusted) = (Vec::new(), Vec::new());
        for _ in 0..count {
            match fields.entry(version)? {
                Entry::Key(key) => keys.push(key),
                Entry::Trusted(certificate) => trusted.push(certificate),
            }
        }
        Some(Self { keys, trusted })
    }

    pub(super) fn key(&self, alias: &str, password: &str) -> Option<Zeroizing<Vec<u8>>> {
        let key = self.keys.iter().find(|key| same_alias(&key.alias, alias))?;
        recover(der::encrypted_key(&key.info)?, password)
    }

    /// The first key and its certificates.
    pub(super) fn identity(&self, password: &str) -> Option<TlsIdentity> {
        let key = self.keys.first()?;
        Some(TlsIdentity {
            chain: key.chain.clone(),
            key: recover(der::encrypted_key(&key.info)?, password)?,
        })
    }

    pub(super) fn trusted(&self) -> &[Vec<u8>] {
        &self.trusted
    }
}

impl<'b> Fields<'b> {
    fn entry(&mut self, version: u32) -> Option<Entry> {
        let (tag, alias) = (self.number()?, self.text()?);
        self.take(8)?;
        match tag {
            KEY => {
                let info = self.block()?.to_vec();
                let mut chain = Vec::new();
                for _ in 0..self.number()? {
                    chain.push(self.certificate(version)?);
                }
                Some(Entry::Key(Key { alias, info, chain }))
            }
            CERTIFICATE => self.certificate(version).map(Entry::Trusted),
            _ => None,
        }
    }

    fn certificate(&mut self, version: u32) -> Option<Vec<u8>> {
        if version == 2 {
            self.text()?;
        }
        self.block().map(<[u8]>::to_vec)
    }

    fn number(&mut self) -> Option<u32> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*number))
    }

    fn text(&mut self) -> Option<String> {
        let (length, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        let text = self.take(u16::from_be_bytes(*length).into())?;
        Some(String::from_utf8_lossy(text).into_owned())
    }

    fn block(&mut self) -> Option<&'b [u8]> {
        let length = self.number()?.try_into().ok()?;
        self.take(length)
    }

    fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

/// Salt, key under the keystream, digest of password and key.
fn recover(protected: &[u8], password: &str) -> Option<Zeroizing<Vec<u8>>> {
    let password = utf16(password);
    let (salt, rest) = protected.split_first_chunk::<DIGEST>()?;
    let (covered, digest) = rest.split_last_chunk::<DIGEST>()?;
    let mut stream = *salt;
    let mut key = Zeroizing::new(covered.to_vec());
    for block in key.chunks_mut(DIGEST) {
        stream = sha1(&[&password, &stream]);
        block.iter_mut().zip(stream).for_each(|(byte, cover)| *byte ^= cover);
    }
    verify_slices_are_equal(&sha1(&[&password, &key]), digest).ok()?;
    Some(key)
}

fn sha1(parts: &[&[u8]]) -> [u8; DIGEST] {
    let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    parts.iter().for_each(|part| context.update(part));
    context.finish().as_ref().try_into().expect("SHA-1 has 20 bytes")
}

fn utf16(text: &str) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(text.encode_utf16().flat_map(u16::to_be_bytes).collect())
}
