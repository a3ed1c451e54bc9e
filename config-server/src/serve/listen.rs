//! Takes the port.

use std::io;
use std::net::SocketAddr;

use thiserror::Error;
use tokio::net::TcpListener;

use crate::settings::HttpSettings;

/// Why the server cannot listen.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BindError {
    #[error("port {} on {} is in use: stop the program that has it, or set `server.port`", .0.port(), .0.ip())]
    InUse(SocketAddr),
    #[error("port {} on {} needs more rights: set `server.port` to one above 1023", .0.port(), .0.ip())]
    Denied(SocketAddr),
    #[error("cannot listen on {address} (`server.address`, `server.port`)")]
    Refused {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
}

/// Listens where the settings say.
///
/// # Errors
/// [`BindError`] names address, port and what to change.
pub async fn bind(settings: &HttpSettings) -> Result<TcpListener, BindError> {
    let address = SocketAddr::new(settings.address, settings.port);
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => BindError::InUse(address),
        io::ErrorKind::PermissionDenied => BindError::Denied(address),
        _ => BindError::Refused { address, source },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_in_use_is_named_with_what_to_do() {
        let holder = bind(&HttpSettings::for_testing()).await.expect("a free port");
        let settings = HttpSettings {
            port: holder.local_addr().expect("an address").port(),
            ..HttpSettings::for_testing()
        };
        let error = bind(&settings).await.expect_err("the port is taken").to_string();
        assert!(error.contains(&settings.port.to_string()), "{error}");
        assert!(error.contains("server.port"), "{error}");
    }
}
