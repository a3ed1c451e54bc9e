//! `https` remotes behind a proxy that opens tunnels.

use std::net::SocketAddr;
use std::time::Duration;

use config_server::settings::GitSettings;
use config_server::settings::backend::Proxy;
use config_server::settings::encrypt::Secret;
use test_support::git::{Answer, GitHttp, Mute};
use test_support::{GitFixture, TunnelProxy, free_port};

use super::Served;
use super::remotes::check_follows;
use super::tls::{Front, file};

/// `me:s3cret`, for the remote.
const LOGIN: &str = "Basic bWU6czNjcmV0";
/// `robot:t0nnel`, for the proxy.
const PROXY_LOGIN: &str = "Basic cm9ib3Q6dDBubmVs";

/// A remote with a certificate of an authority of one's own, that asks for a login.
struct Remote {
    fixture: GitFixture,
    _server: GitHttp,
    front: Front,
}

impl Remote {
    async fn start() -> Self {
        let fixture = GitFixture::new().expect("a fixture");
        let server = GitHttp::start_for(&fixture, LOGIN).await.expect("a server");
        let front = Front::start(server.port()).await;
        Self {
            fixture,
            _server: server,
            front,
        }
    }

    fn host(&self) -> String {
        format!("localhost:{}", self.front.port)
    }

    /// A store that reaches it through `proxy`.
    async fn served(&self, proxy: Proxy, change: impl FnOnce(&mut GitSettings)) -> Served {
        Served::with(&format!("https://{}/config.git", self.host()), |settings| {
            settings.ca_file = Some(file("authority.pem"));
            settings.credentials.username = Some("me".to_owned());
            settings.credentials.password = Some(Secret::new("s3cret".to_owned()));
            settings.proxies = vec![proxy];
            change(settings);
        })
        .await
    }

    /// Why it cannot be reached through `proxy`.
    async fn refusal(&self, proxy: Proxy, change: impl FnOnce(&mut GitSettings)) -> String {
        let served = self.served(proxy, change).await;
        let error = served.view(None).await.expect_err("refused").to_string();
        for secret in ["s3cret", "t0nnel"] {
            assert!(!error.contains(secret), "{error}");
        }
        error
    }
}

fn at(address: SocketAddr) -> Proxy {
    Proxy {
        scheme: "https".to_owned(),
        host: address.ip().to_string(),
        port: address.port(),
        non_proxy_hosts: Vec::new(),
        username: None,
        password: None,
    }
}

fn with_login(address: SocketAddr, password: &str) -> Proxy {
    Proxy {
        username: Some("robot".to_owned()),
        password: Some(Secret::new(password.to_owned())),
        ..at(address)
    }
}

#[tokio::test]
async fn https_is_followed_through_a_proxy_that_learns_nothing_of_the_remotes_login() {
    let remote = Remote::start().await;
    let proxy = TunnelProxy::start_for(PROXY_LOGIN).await;
    let served = remote.served(with_login(proxy.address(), "t0nnel"), |_| {}).await;
    check_follows(&remote.fixture, &served).await;
    let opened = proxy.opened();
    assert!(
        !opened.is_empty() && opened.iter().all(|host| *host == remote.host()),
        "{opened:?}"
    );
    for asked in proxy.asked() {
        assert!(asked.starts_with(&format!("CONNECT {} ", remote.host())), "{asked}");
        assert!(!asked.contains(LOGIN), "{asked}");
    }
}

#[tokio::test]
async fn the_certificate_behind_a_proxy_is_looked_at_as_without_one() {
    let remote = Remote::start().await;
    let proxy = TunnelProxy::start().await;
    let error = remote
        .refusal(at(proxy.address()), |settings| settings.ca_file = None)
        .await;
    assert!(error.contains("certificate is not trusted"), "{error}");
    assert_eq!(proxy.opened(), [remote.host()]);
}

#[tokio::test]
async fn hosts_that_are_exempt_and_remotes_of_the_other_scheme_are_reached_without_it() {
    let remote = Remote::start().await;
    let proxy = TunnelProxy::start().await;
    let exempt = Proxy {
        non_proxy_hosts: vec!["*.example.com".to_owned(), "localhost".to_owned()],
        ..at(proxy.address())
    };
    let served = remote.served(exempt, |_| {}).await;
    check_follows(&remote.fixture, &served).await;
    let other = Proxy {
        scheme: "http".to_owned(),
        ..at(proxy.address())
    };
    let served = remote.served(other, |_| {}).await;
    check_follows(&remote.fixture, &served).await;
    assert_eq!(proxy.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn what_a_proxy_refuses_is_told_of_the_proxy_and_not_of_the_remote() {
    let remote = Remote::start().await;
    let proxy = TunnelProxy::start_for(PROXY_LOGIN).await;
    for stranger in [at(proxy.address()), with_login(proxy.address(), "wrong")] {
        let error = remote.refusal(stranger, |_| {}).await;
        assert!(error.contains("the proxy refuses the credentials"), "{error}");
    }

    let open = TunnelProxy::start().await;
    let nowhere = format!("https://localhost:{}/config.git", free_port().expect("a port"));
    let error = remote
        .refusal(at(open.address()), |settings| settings.uri = nowhere.into())
        .await;
    assert!(error.contains("the proxy opens no way to the remote"), "{error}");

    let gone = SocketAddr::from(([127, 0, 0, 1], free_port().expect("a port")));
    let error = remote.refusal(at(gone), |_| {}).await;
    assert!(error.contains("the proxy cannot be reached"), "{error}");
    let mut unknown = at(gone);
    unknown.host = "proxy.config.invalid".to_owned();
    let error = remote.refusal(unknown, |_| {}).await;
    assert!(error.contains("the proxy cannot be reached"), "{error}");
}

#[tokio::test]
async fn a_proxy_of_http_remotes_that_refuses_is_told_of_the_proxy_as_well() {
    let fixture = GitFixture::new().expect("a fixture");
    let proxy = GitHttp::start(&fixture).await.expect("a server");
    proxy.answer(Answer::Status(407));
    let served = Served::with("http://git.config.invalid/config.git", |settings| {
        settings.proxies = vec![Proxy {
            scheme: "http".to_owned(),
            ..at(SocketAddr::from(([127, 0, 0, 1], proxy.port())))
        }];
    })
    .await;
    let error = served.view(None).await.expect_err("refused").to_string();
    assert!(error.contains("the proxy refuses the credentials"), "{error}");
}

#[tokio::test]
async fn a_proxy_that_says_nothing_is_waited_for_no_longer_than_a_remote() {
    let remote = Remote::start().await;
    let mute = Mute::start().await.expect("a server");
    let silent = at(SocketAddr::from(([127, 0, 0, 1], mute.port())));
    let error = remote
        .refusal(silent, |settings| settings.timeout = Duration::from_millis(200))
        .await;
    assert!(error.contains("did not answer within 200ms"), "{error}");
}
