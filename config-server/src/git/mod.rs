//! Commits come in: one bare mirror per remote, fetched under a deadline, read into snapshots.
//!
//! - [`remote`]: an address as configured, and what may be shown of it
//! - [`transport`]: the bytes to and from a remote; every wait ends at the fetch's deadline
//! - [`local`]: the same for a directory of this machine
//! - [`mirror`]: the bare repository on disk and its fetch, free of abandoned [`locks`] and with few
//!   [`packs`]; [`worker`]: the thread that fetches
//! - [`refs`]: which commit a label means
//! - [`read`]: a commit becomes a snapshot, parts of earlier ones reused from the [`shelf`]
//!
//! Everything here blocks: it runs on the worker's thread or on the blocking pool.

pub mod error;
pub mod remote;

mod local;
mod transport;

mod locks;
pub mod mirror;
mod packs;
pub mod worker;

pub mod refs;

pub mod read;
pub mod shelf;

pub use error::{Failure, GitError};
pub use mirror::Mirror;
pub use read::Loaded;
pub use refs::RefTable;
pub use remote::Remote;
pub use worker::Fetcher;
