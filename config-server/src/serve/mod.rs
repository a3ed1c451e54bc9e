//! Accepts connections and speaks HTTP on them, every step bounded (promise 11).
//!
//! Our own loop instead of `axum::serve`, which installs no timer (a client that drips its header
//! holds a connection for ever) and knows neither a connection limit nor a handshake timeout.
//!
//! - [`listen`]: the port, or a clear reason why not
//! - [`slots`]: how many connections there may be
//! - [`accept`]: one task per connection, never more than allowed, drained in good order
//! - [`connection`]: HTTP/1.1 and HTTP/2 with explicit limits
//! - [`tls`]: certificates, read again when their files change

pub mod listen;

pub mod accept;
pub mod connection;
pub mod slots;
pub mod tls;

pub use accept::{Drained, Server};
pub use listen::{BindError, bind};
pub use tls::{Tls, TlsError};

#[cfg(test)]
mod tests;
