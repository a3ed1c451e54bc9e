//! AES-256 with a key derived from a password (contract 4.3).

use std::num::NonZeroU32;

use aes_gcm::aead::consts::U16;
use aes_gcm::aead::{Aead, KeyInit};
use aes_gcm::aes::Aes256;
use aes_gcm::{AesGcm, Key, Nonce};
use aws_lc_rs::cipher::{
    AES_256, DecryptionContext, EncryptionContext, PaddedBlockDecryptingKey, PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::pbkdf2;
use zeroize::Zeroizing;

use super::CipherError;

/// Bytes of an initialisation vector, which stands in front of every cipher text.
pub(super) const IV: usize = 16;

const ITERATIONS: NonZeroU32 = NonZeroU32::new(1024).expect("1024 is not 0");

/// How blocks are chained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Cbc,
    /// With a 16-byte nonce and the tag behind the text.
    Gcm,
}

/// A derived key.
#[derive(Clone)]
pub(super) struct SecretKey(Zeroizing<[u8; 32]>);

impl SecretKey {
    /// PBKDF2 with HMAC-SHA1, 1,024 rounds.
    pub(super) fn derive(password: &[u8], salt: &[u8]) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA1, ITERATIONS, salt, password, key.as_mut_slice());
        Self(key)
    }

    /// The vector and the encrypted text.
    pub(super) fn seal(&self, mode: Mode, plain: &[u8], iv: [u8; IV]) -> Result<Vec<u8>, CipherError> {
        let sealed = match mode {
            Mode::Cbc => self.seal_cbc(plain, iv),
            Mode::Gcm => self.gcm().encrypt(&Nonce::<U16>::from(iv), plain).ok(),
        };
        let sealed = sealed.ok_or(CipherError::Unencryptable)?;
        Ok([iv.as_slice(), &sealed].concat())
    }

    /// The text behind the vector.
    pub(super) fn open(&self, mode: Mode, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, CipherError> {
        let (iv, sealed) = sealed.split_first_chunk::<IV>().ok_or(CipherError::TooShort)?;
        let plain = match mode {
            Mode::Cbc => self.open_cbc(*iv, sealed),
            Mode::Gcm => self.gcm().decrypt(&Nonce::<U16>::from(*iv), sealed).ok(),
        };
        plain.map(Zeroizing::new).ok_or(CipherError::Undecipherable)
    }

    fn seal_cbc(&self, plain: &[u8], iv: [u8; IV]) -> Option<Vec<u8>> {
        let key = UnboundCipherKey::new(&AES_256, self.0.as_slice()).ok()?;
        let key = PaddedBlockEncryptingKey::cbc_pkcs7(key).ok()?;
        let mut text = plain.to_vec();
        key.less_safe_encrypt(&mut text, EncryptionContext::Iv128(FixedLength::from(iv)))
            .ok()?;
        Some(text)
    }

    fn open_cbc(&self, iv: [u8; IV], sealed: &[u8]) -> Option<Vec<u8>> {
        if sealed.is_empty() {
            return Some(Vec::new());
        }
        let key = UnboundCipherKey::new(&AES_256, self.0.as_slice()).ok()?;
        let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).ok()?;
        let mut text = Zeroizing::new(sealed.to_vec());
        let plain = key
            .decrypt(&mut text, DecryptionContext::Iv128(FixedLength::from(iv)))
            .ok()?;
        Some(plain.to_vec())
    }

    fn gcm(&self) -> AesGcm<Aes256, U16> {
        AesGcm::new(&Key::<AesGcm<Aes256, U16>>::from(*self.0))
    }
}
