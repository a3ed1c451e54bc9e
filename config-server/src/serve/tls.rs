//! TLS by rustls: certificates from PEM files or a PKCS#12 store, read again when they change.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use p12_keystore::{KeyStore, KeyStoreEntry, PrivateKeyChain};
use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::settings::encrypt::Secret;
use crate::settings::http::TlsSettings;

/// How often the files are looked at. Polling sees what a file watcher does not: replaced
/// symbolic links (how Kubernetes renews a mounted secret) and network file systems.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Why there is no certificate to serve with. Files are named by their setting, never by path.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TlsError {
    #[error("cannot read the file of `{setting}`")]
    Read {
        setting: &'static str,
        #[source]
        source: io::Error,
    },
    #[error("the file of `{setting}` is not PEM")]
    Pem {
        setting: &'static str,
        #[source]
        source: rustls_pki_types::pem::Error,
    },
    #[error("the file of `{0}` holds no certificate")]
    NoCertificate(&'static str),
    #[error("the key store of `server.ssl.key-store` cannot be opened (format or password)")]
    KeyStore(#[source] p12_keystore::error::Error),
    #[error("the key store of `server.ssl.key-store` holds no private key{}", alias(.0.as_deref()))]
    NoKey(Option<String>),
    #[error("the certificate and the private key of `server.ssl` do not go together")]
    Mismatch(#[source] rustls::Error),
}

/// The certificate that is served now.
#[derive(Debug)]
pub struct Tls {
    settings: TlsSettings,
    current: ArcSwap<ServerConfig>,
    /// The bytes `current` was made of.
    files: Mutex<Files>,
}

/// Content of the configured files.
#[derive(Debug, PartialEq, Eq)]
struct Files(Vec<Vec<u8>>);

impl Tls {
    /// Reads the certificate and its key.
    ///
    /// # Errors
    /// [`TlsError`] names the setting whose file is at fault.
    pub fn load(settings: TlsSettings) -> Result<Self, TlsError> {
        let files = Files::read(&settings)?;
        let current = ArcSwap::from_pointee(files.to_config(&settings)?);
        Ok(Self {
            settings,
            current,
            files: Mutex::new(files),
        })
    }

    /// Speaks TLS with a client that just connected.
    ///
    /// # Errors
    /// The client does not speak TLS, or not in time.
    pub async fn handshake(&self, stream: TcpStream, timeout: Duration) -> io::Result<TlsStream<TcpStream>> {
        let acceptor = TlsAcceptor::from(self.current.load_full());
        tokio::time::timeout(timeout, acceptor.accept(stream))
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    }

    /// Looks at the files from time to time until `stop`. Files that do not fit (a renewal half
    /// written) leave the served certificate as it is.
    pub async fn follow_files(self: Arc<Self>, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(LOOK_AGAIN)).await.is_some() {
            let tls = Arc::clone(&self);
            match tokio::task::spawn_blocking(move || tls.look_again()).await {
                Ok(Ok(true)) => info!("serving a renewed certificate"),
                Ok(Ok(false)) => {}
                Ok(Err(error)) => warn!(%error, "a renewed certificate cannot be used: the old one stays"),
                Err(panicked) => warn!(%panicked, "looking for a renewed certificate failed"),
            }
        }
    }

    /// Takes changed files over; `true` when there were any.
    fn look_again(&self) -> Result<bool, TlsError> {
        let files = Files::read(&self.settings)?;
        let mut served = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if *served == files {
            return Ok(false);
        }
        self.current.store(Arc::new(files.to_config(&self.settings)?));
        *served = files;
        Ok(true)
    }
}

impl Files {
    fn read(settings: &TlsSettings) -> Result<Self, TlsError> {
        let read = |setting, path: &Path| std::fs::read(path).map_err(|source| TlsError::Read { setting, source });
        Ok(Self(match settings {
            TlsSettings::Pem {
                certificate,
                private_key,
            } => vec![
                read("server.ssl.certificate", certificate)?,
                read("server.ssl.certificate-private-key", private_key)?,
            ],
            TlsSettings::Pkcs12 { key_store, .. } => vec![read("server.ssl.key-store", key_store)?],
        }))
    }

    fn to_config(&self, settings: &TlsSettings) -> Result<ServerConfig, TlsError> {
        let (chain, key) = match (settings, self.0.as_slice()) {
            (TlsSettings::Pkcs12 { password, alias, .. }, [store]) => from_pkcs12(store, password, alias.as_deref())?,
            (_, [certificate, key]) => from_pem(certificate, key)?,
            _ => unreachable!("`read` returns what the settings name"),
        };
        let mut config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(TlsError::Mismatch)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn from_pem(certificate: &[u8], key: &[u8]) -> Result<Identity, TlsError> {
    let pem = |setting| move |source| TlsError::Pem { setting, source };
    let chain = CertificateDer::pem_slice_iter(certificate)
        .collect::<Result<Vec<_>, _>>()
        .map_err(pem("server.ssl.certificate"))?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate("server.ssl.certificate"));
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(pem("server.ssl.certificate-private-key"))?;
    Ok((chain, key))
}

fn from_pkcs12(store: &[u8], password: &Secret, alias: Option<&str>) -> Result<Identity, TlsError> {
    let store = KeyStore::from_pkcs12(store, password.expose()).map_err(TlsError::KeyStore)?;
    let entry = key_entry(&store, alias).ok_or_else(|| TlsError::NoKey(alias.map(str::to_owned)))?;
    let chain = entry
        .chain()
        .iter()
        .map(|one| CertificateDer::from(one.as_der().to_vec()));
    let key = PrivatePkcs8KeyDer::from(entry.key().to_vec());
    Ok((chain.collect(), key.into()))
}

fn key_entry<'a>(store: &'a KeyStore, alias: Option<&str>) -> Option<&'a PrivateKeyChain> {
    let Some(alias) = alias else {
        return store.private_key_chain().map(|(_, entry)| entry);
    };
    match store.entry(alias)? {
        KeyStoreEntry::PrivateKeyChain(entry) => Some(entry),
        _ => None,
    }
}

fn alias(name: Option<&str>) -> String {
    name.map(|name| format!(" called `{name}`")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use tempfile::TempDir;

    use super::*;

    fn data(name: &str) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("tests/data/tls")
            .join(name)
    }

    #[test]
    fn half_a_renewal_leaves_the_certificate_that_is_served() {
        let mounted = TempDir::new().expect("a directory");
        let place = |name: &str| mounted.path().join(name);
        let put = |from: &str, to: &str| fs::copy(data(from), place(to)).expect("a copy");
        put("server.pem", "tls.pem");
        put("server.key", "tls.key");
        let settings = TlsSettings::Pem {
            certificate: place("tls.pem"),
            private_key: place("tls.key"),
        };
        let tls = Tls::load(settings).expect("a certificate with its key");
        let first = tls.current.load_full();
        assert!(matches!(tls.look_again(), Ok(false)));
        put("renewed.pem", "tls.pem");
        assert!(matches!(tls.look_again(), Err(TlsError::Mismatch(_))));
        assert!(Arc::ptr_eq(&tls.current.load_full(), &first));
        put("renewed.key", "tls.key");
        assert!(matches!(tls.look_again(), Ok(true)));
        assert!(!Arc::ptr_eq(&tls.current.load_full(), &first));
        assert!(matches!(tls.look_again(), Ok(false)));
    }
}
