//! Whom to believe when the connection is encrypted, and who we say we are.

use std::io;
use std::sync::Arc;

use lapin::tcp::RustlsConnector;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_platform_verifier::Verifier;

use super::settings::{Checks, ClientIdentity, TlsSettings};

/// Leaves out some of the checks of `usual`.
#[derive(Debug)]
struct Lenient {
    usual: Arc<dyn ServerCertVerifier>,
    checks: Checks,
}

/// What encrypts connections by `settings`.
///
/// # Errors
/// A certificate or key that cannot be used, as [`io::ErrorKind::InvalidData`].
pub(super) fn connector(settings: &TlsSettings) -> io::Result<RustlsConnector> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let usual = verifier(settings, &provider)?;
    let verifier: Arc<dyn ServerCertVerifier> = match settings.checks {
        Checks::All => usual,
        checks @ (Checks::AllButName | Checks::Nothing) => Arc::new(Lenient { usual, checks }),
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let config = match &settings.identity {
        Some(identity) => {
            let (chain, key) = read_identity(identity)?;
            config.with_client_auth_cert(chain, key).map_err(unusable)?
        }
        None => config.with_no_client_auth(),
    };
    Ok(config.into())
}

fn verifier(settings: &TlsSettings, provider: &Arc<CryptoProvider>) -> io::Result<Arc<dyn ServerCertVerifier>> {
    let authorities = certificates(settings.authorities.as_deref().unwrap_or_default())?;
    if !settings.authorities_alone {
        let verifier = Verifier::new_with_extra_roots(authorities, Arc::clone(provider)).map_err(unusable)?;
        return Ok(Arc::new(verifier));
    }
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        roots.add(authority).map_err(unusable)?;
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    Ok(verifier.build().map_err(unusable)?)
}

fn read_identity(identity: &ClientIdentity) -> io::Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)> {
    let key = PrivateKeyDer::from_pem_slice(identity.key.reveal().as_bytes()).map_err(unusable)?;
    Ok((certificates(&identity.certificates)?, key))
}

fn certificates(pem: &str) -> io::Result<Vec<CertificateDer<'static>>> {
    let certificates = CertificateDer::pem_slice_iter(pem.as_bytes());
    certificates.collect::<Result<_, _>>().map_err(unusable)
}

fn unusable(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        use CertificateError::{NotValidForName, NotValidForNameContext};
        if self.checks == Checks::Nothing {
            return Ok(ServerCertVerified::assertion());
        }
        let verified = self
            .usual
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verified {
            // The name is looked at last: everything else is in order.
            Err(rustls::Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. })) => {
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.usual.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.usual.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}
