//! What the operator wants, by Spring's own names (contract section 8) and `config-bus.*`.
//!
//! One struct per concern; each is all-present and typed. Reading, defaults and complaints live in
//! the sibling modules; nothing below `main` reads the environment.

pub mod backend;
pub mod change;
pub mod encrypt;
pub mod http;

pub use backend::{Backend, GitSettings, NativeSettings};
pub use change::ChangeSettings;
pub use encrypt::EncryptSettings;
pub use http::HttpSettings;
