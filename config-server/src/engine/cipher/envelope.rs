//! A session key wrapped with RSA, and the text encrypted with it (contract 4.4).

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, OaepPublicEncryptingKey, Pkcs1PrivateDecryptingKey,
    Pkcs1PublicEncryptingKey, PrivateDecryptingKey,
};
use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::symmetric::{IV, Mode, SecretKey};
use super::{CipherError, KeyError, Random, der};

/// Random bytes of a session key.
const SESSION: usize = 16;

/// Java's decoder takes texts with or without their padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// `encrypt.rsa.*`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RsaScheme {
    /// OAEP with SHA-1 instead of PKCS#1 v1.5.
    pub oaep: bool,
    /// GCM instead of CBC.
    pub strong: bool,
    /// Hexadecimal, or any other text as it is.
    pub salt: String,
}

/// An RSA key pair and how it is used.
pub(super) struct RsaKey {
    pkcs1: Pkcs1PrivateDecryptingKey,
    oaep: OaepPrivateDecryptingKey,
    to_pkcs1: Pkcs1PublicEncryptingKey,
    to_oaep: OaepPublicEncryptingKey,
    public: PublicKeyX509Der<'static>,
    scheme: RsaScheme,
}

impl Default for RsaScheme {
    fn default() -> Self {
        Self {
            oaep: false,
            strong: false,
            salt: "deadbeef".into(),
        }
    }
}

impl RsaScheme {
    fn mode(&self) -> Mode {
        if self.strong { Mode::Gcm } else { Mode::Cbc }
    }

    fn derive(&self, session: &[u8]) -> SecretKey {
        let salt = hex::decode(&self.salt).unwrap_or_else(|_| self.salt.clone().into_bytes());
        SecretKey::derive(Zeroizing::new(hex::encode(session)).as_bytes(), &salt)
    }
}

impl RsaKey {
    /// Takes the key in `pkcs8`.
    pub(super) fn new(pkcs8: &[u8], scheme: RsaScheme) -> Result<Self, KeyError> {
        let private = PrivateDecryptingKey::from_pkcs8(pkcs8).map_err(|_| KeyError::Rsa)?;
        let public = private.public_key();
        let unusable = |_| KeyError::Rsa;
        Ok(Self {
            pkcs1: Pkcs1PrivateDecryptingKey::new(private.clone()).map_err(unusable)?,
            oaep: OaepPrivateDecryptingKey::new(private).map_err(unusable)?,
            to_pkcs1: Pkcs1PublicEncryptingKey::new(public.clone()).map_err(unusable)?,
            to_oaep: OaepPublicEncryptingKey::new(public.clone()).map_err(unusable)?,
            public: public.as_der().map_err(unusable)?,
            scheme,
        })
    }

    /// Base64 of: length of the wrapped session key, that key, the vector, the text.
    pub(super) fn seal(&self, plain: &[u8], random: Random<'_>) -> Result<String, CipherError> {
        let mut session = Zeroizing::new([0; SESSION]);
        let mut iv = [0; IV];
        random(session.as_mut_slice());
        random(&mut iv);
        let wrapped = self.wrap(session.as_slice()).ok_or(CipherError::Unencryptable)?;
        let length = u16::try_from(wrapped.len()).map_err(|_| CipherError::Unencryptable)?;
        let body = self
            .scheme
            .derive(session.as_slice())
            .seal(self.scheme.mode(), plain, iv)?;
        Ok(STANDARD.encode([&length.to_be_bytes(), wrapped.as_slice(), &body].concat()))
    }

    /// The text in an envelope. Every failure is the same one.
    pub(super) fn open(&self, text: &str) -> Result<Zeroizing<Vec<u8>>, CipherError> {
        let undecipherable = CipherError::Undecipherable;
        let envelope = LENIENT.decode(text).map_err(|_| undecipherable)?;
        let (length, rest) = envelope.split_first_chunk().ok_or(undecipherable)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (wrapped, body) = rest.split_at_checked(length).ok_or(undecipherable)?;
        let session = self.unwrap(wrapped).ok_or(undecipherable)?;
        self.scheme
            .derive(&session)
            .open(self.scheme.mode(), body)
            .map_err(|_| undecipherable)
    }

    /// `ssh-rsa <base64> application` (contract 1.8).
    pub(super) fn public_key(&self) -> Option<String> {
        let (modulus, exponent) = der::rsa_numbers(self.public.as_ref())?;
        let mut blob = Vec::new();
        for part in [b"ssh-rsa".as_slice(), exponent, modulus] {
            blob.extend(u32::try_from(part.len()).ok()?.to_be_bytes());
            blob.extend(part);
        }
        Some(format!("ssh-rsa {} application", STANDARD.encode(blob)))
    }

    fn wrap(&self, session: &[u8]) -> Option<Vec<u8>> {
        if self.scheme.oaep {
            let mut wrapped = vec![0; self.to_oaep.ciphertext_size()];
            let wrapped = self
                .to_oaep
                .encrypt(&OAEP_SHA1_MGF1SHA1, session, &mut wrapped, None)
                .ok()?;
            return Some(wrapped.to_vec());
        }
        let mut wrapped = vec![0; self.to_pkcs1.ciphertext_size()];
        Some(self.to_pkcs1.encrypt(session, &mut wrapped).ok()?.to_vec())
    }

    fn unwrap(&self, wrapped: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let mut session = Zeroizing::new(vec![0; self.pkcs1.min_output_size()]);
        let length = if self.scheme.oaep {
            let opened = self.oaep.decrypt(&OAEP_SHA1_MGF1SHA1, wrapped, &mut session, None);
            opened.ok()?.len()
        } else {
            self.pkcs1.decrypt(wrapped, &mut session).ok()?.len()
        };
        session.truncate(length);
        Some(session)
    }
}

impl std::fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RsaKey({} bits, {:?})", self.pkcs1.key_size_bits(), self.scheme)
    }
}
