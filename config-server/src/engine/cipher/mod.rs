//! `{cipher}` values (contract section 4): the keys that open them, and what is opened.
//!
//! [`prefix`] says which key a text wants; [`keys`] has the keys, out of a password or a [`store`];
//! [`symmetric`] and [`envelope`] are the two forms of cipher text; [`values`] and [`plain_file`]
//! open what is served. Bytes and randomness come in as arguments: reading key stores and the
//! system's generator is for the rim.

pub mod prefix;

mod symmetric;

mod der;
mod envelope;
mod store;

pub mod keys;
mod opened;

mod plain_file;
mod values;

#[cfg(test)]
mod tests;

use thiserror::Error;
use zeroize::Zeroizing;

pub use envelope::RsaScheme;
pub use keys::{KeyMaterial, Keys, StoreKind, StoreMaterial};
pub use plain_file::decrypt_file;
pub use store::{TlsIdentity, TlsMaterial};
pub use values::decrypt;

/// Marks a value that is encrypted.
pub const MARKER: &str = "{cipher}";

/// A text that is wiped when dropped.
pub type Zeroized = Zeroizing<String>;

/// Fills a slice with random bytes.
pub type Random<'r> = &'r mut dyn FnMut(&mut [u8]);

/// Why a text cannot be decrypted or encrypted. What went wrong inside the cipher is not told: the
/// difference would help whoever tries texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CipherError {
    /// There is no key at all.
    #[error("no key is installed")]
    NoKey,
    /// The text names a key that is not in the store, or with a wrong password.
    #[error("the text names a key that is not there")]
    UnknownKey,
    /// Less than an initialisation vector: the stock server breaks over it (contract 1.8).
    #[error("the text is too short to be encrypted")]
    TooShort,
    /// Everything else.
    #[error("the text is not encrypted with this key")]
    Undecipherable,
    /// A text that is too long, or a key that cannot be used.
    #[error("the text cannot be encrypted with this key")]
    Unencryptable,
}

/// Why keys cannot be used. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    #[error("the salt is not hexadecimal")]
    Salt,
    #[error("the key is neither a password nor an RSA private key in PEM (`RSA PRIVATE KEY`)")]
    Pem,
    #[error("the key store cannot be opened: it is no {0} store, or the password is wrong")]
    Store(&'static str),
    #[error("the key store has no RSA key under the alias and password given")]
    Alias,
    #[error("the RSA key cannot be used: it needs 2048 to 8192 bits")]
    Rsa,
}
