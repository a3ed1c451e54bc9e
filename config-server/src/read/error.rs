//! Why a read has no answer.

use std::sync::Arc;

use thiserror::Error;

use crate::engine::cipher::CipherError;
use crate::engine::placeholder::PlaceholderError;
use crate::engine::render::RenderError;
use crate::engine::resolve::Broken;
use crate::store::ViewError;

/// Why a read has no answer. Messages are safe for strangers: they name files by their path in the
/// repository, never values.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReadError {
    #[error(transparent)]
    View(#[from] ViewError),
    /// A file that the application reads cannot be read, and no earlier commit is good for it.
    #[error(transparent)]
    Broken(Broken),
    /// The same on `main` while `try-master-branch` is on. The stock server then looks at `master`,
    /// and answers that there is none (contract 1.11).
    #[error(transparent)]
    BrokenMain(Broken),
    /// Without `accept-empty`: nothing is known about the application.
    #[error("there is no configuration for `{0}`")]
    Empty(String),
    #[error(transparent)]
    Render(#[from] RenderError),
    #[error("there is no such file")]
    NoFile,
    /// A file that is not held in memory.
    #[error("the file `{path}` has {size} bytes, more than is served")]
    TooLarge { path: Arc<str>, size: u64 },
    /// In a plain file.
    #[error(transparent)]
    Placeholder(PlaceholderError),
    /// A `{cipher}` value in a plain file.
    #[error("a value of the file cannot be decrypted: {0}")]
    Cipher(#[from] CipherError),
    /// A bug: the log has it.
    #[error("the answer could not be made")]
    Failed,
}
