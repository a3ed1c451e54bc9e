//! `https` remotes: whose certificate is trusted.

use std::path::PathBuf;
use std::sync::Arc;

use config_server::settings::encrypt::Secret;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use test_support::GitFixture;
use test_support::git::GitHttp;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::Served;

/// Puts TLS before a server.
pub(super) struct Front {
    pub(super) port: u16,
    _end: DropGuard,
}

pub(super) fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/tls")
        .join(name)
}

fn acceptor() -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_file(file("server.pem")).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(file("server.key")).expect("a key");
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a configuration");
    TlsAcceptor::from(Arc::new(config))
}

impl Front {
    pub(super) async fn start(behind: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (stop, tracker, acceptor) = (CancellationToken::new(), TaskTracker::new(), acceptor());
        let connections = tracker.clone();
        tracker.spawn(stop.clone().run_until_cancelled_owned(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                connections.spawn(async move {
                    let mut outer = acceptor.accept(stream).await.ok()?;
                    let mut inner = TcpStream::connect(("127.0.0.1", behind)).await.ok()?;
                    copy_bidirectional(&mut outer, &mut inner).await.ok()
                });
            }
        }));
        Self {
            port,
            _end: stop.drop_guard(),
        }
    }
}

#[tokio::test]
async fn only_a_trusted_certificate_is_accepted() {
    let fixture = GitFixture::new().expect("a fixture");
    let commit = fixture.commit_file("app.yml", "v: 1").expect("a commit");
    let server = GitHttp::start(&fixture).await.expect("a server");
    let front = Front::start(server.port()).await;
    let uri = format!("https://localhost:{}/config.git", front.port);

    let stranger = Served::git(&uri).await;
    let error = stranger.view(None).await.expect_err("refused").to_string();
    assert!(error.contains("certificate is not trusted"), "{error}");

    let trusting = Served::with(&uri, |settings| settings.ca_file = Some(file("authority.pem"))).await;
    assert_eq!(trusting.version(None).await, commit);

    let careless = Served::with(&uri, |settings| settings.skip_ssl_validation = true).await;
    assert_eq!(careless.version(None).await, commit);
}

#[tokio::test]
async fn a_login_is_asked_for_behind_a_certificate_of_ones_own_authority() {
    let fixture = GitFixture::new().expect("a fixture");
    let commit = fixture.commit_file("app.yml", "v: 1").expect("a commit");
    // `me:s3cret`
    let server = GitHttp::start_for(&fixture, "Basic bWU6czNjcmV0")
        .await
        .expect("a server");
    let front = Front::start(server.port()).await;
    let uri = format!("https://localhost:{}/config.git", front.port);
    let with = async |password: &str| {
        Served::with(&uri, |settings| {
            settings.ca_file = Some(file("authority.pem"));
            settings.credentials.username = Some("me".to_owned());
            settings.credentials.password = Some(Secret::new(password.to_owned()));
        })
        .await
    };
    assert_eq!(with("s3cret").await.version(None).await, commit);
    let refused = with("wrong").await.view(None).await.expect_err("refused").to_string();
    assert!(!refused.contains("wrong"), "{refused}");
}
