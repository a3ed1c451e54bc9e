//! Every way to reach a remote, with real servers.

use std::time::Duration;

use config_server::settings::backend::{Freshness, Proxy};
use config_server::settings::encrypt::Secret;
use test_support::git::{Answer, GitDaemon, GitHttp, Sshd};
use test_support::{GitFixture, eventually};

use super::{SOON, Served, text};

/// Nobody waits for the clock.
const HOURLY: Freshness = Freshness::Background(Duration::from_secs(3600));

/// Serves the first commit, then the second one after a look.
pub(super) async fn check_follows(fixture: &GitFixture, served: &Served) {
    let first = fixture.commit_file("app.yml", "v: 1").expect("a commit");
    served.refresh().await;
    let view = served.view(None).await.expect("a view");
    assert_eq!(view.version.as_deref(), Some(first.as_str()));
    assert_eq!(text(&view, "app.yml").as_deref(), Some("v: 1"));

    let second = fixture.commit_file("app.yml", "v: 2").expect("a commit");
    let heads = served.refresh().await;
    assert_eq!(heads.len(), 1);
    assert_eq!(heads[0].commit.as_str(), second);
    assert_eq!(heads[0].previous.as_ref().map(AsRef::as_ref), Some(first.as_str()));
    let view = served.view(None).await.expect("a view");
    assert_eq!(text(&view, "app.yml").as_deref(), Some("v: 2"));
}

#[tokio::test]
async fn a_directory_is_followed() {
    let fixture = GitFixture::new().expect("a fixture");
    let served = Served::git(&fixture.uri()).await;
    check_follows(&fixture, &served).await;
}

#[tokio::test]
async fn git_daemon_is_followed() {
    let fixture = GitFixture::new().expect("a fixture");
    let daemon = GitDaemon::start(&fixture).expect("a daemon");
    let served = Served::git(&daemon.uri()).await;
    check_follows(&fixture, &served).await;
}

#[tokio::test]
async fn http_is_followed() {
    let fixture = GitFixture::new().expect("a fixture");
    let server = GitHttp::start(&fixture).await.expect("a server");
    let served = Served::git(&server.uri()).await;
    check_follows(&fixture, &served).await;
}

/// `me:s3cret`
const LOGIN: &str = "Basic bWU6czNjcmV0";

#[tokio::test]
async fn http_with_a_login_is_followed() {
    let fixture = GitFixture::new().expect("a fixture");
    let server = GitHttp::start_for(&fixture, LOGIN).await.expect("a server");
    let served = Served::with(&server.uri(), |settings| {
        settings.credentials.username = Some("me".to_owned());
        settings.credentials.password = Some(Secret::new("s3cret".to_owned()));
    })
    .await;
    check_follows(&fixture, &served).await;
}

#[tokio::test]
async fn a_login_in_the_address_is_used_and_never_shown() {
    let fixture = GitFixture::new().expect("a fixture");
    let server = GitHttp::start_for(&fixture, LOGIN).await.expect("a server");
    let served = Served::git(&server.uri_with("me:s3cret")).await;
    check_follows(&fixture, &served).await;
    let head = &served.store.heads()[0];
    assert_eq!(&*head.repository, server.uri());
    let view = served.view(None).await.expect("a view");
    assert!(!format!("{view:?}").contains("s3cret"));
    assert!(!format!("{:?}", served.store).contains("s3cret"));
}

#[tokio::test]
async fn a_redirect_is_followed_without_the_credentials() {
    let fixture = GitFixture::new().expect("a fixture");
    let target = GitHttp::start(&fixture).await.expect("a server");
    let front = GitHttp::start(&fixture).await.expect("a server");
    front.answer(Answer::Redirect(target.origin()));
    let served = Served::git(&front.uri()).await;
    check_follows(&fixture, &served).await;
    assert!(target.requests() > 0);

    // A server that asks for the login does not get it from a redirect of another origin.
    let guarded = GitHttp::start_for(&fixture, LOGIN).await.expect("a server");
    front.answer(Answer::Redirect(guarded.origin()));
    let served = Served::git(&front.uri_with("me:s3cret")).await;
    let error = served.view(None).await.expect_err("refused");
    assert!(error.to_string().contains("refuses the credentials"), "{error}");
}

#[tokio::test]
async fn redirects_that_go_in_circles_end() {
    let fixture = GitFixture::new().expect("a fixture");
    let server = GitHttp::start(&fixture).await.expect("a server");
    server.answer(Answer::Redirect(server.origin()));
    let served = Served::git(&server.uri()).await;
    let error = served.view(None).await.expect_err("refused");
    assert!(error.to_string().contains("redirects"), "{error}");
    assert!(server.requests() <= 12, "{}", server.requests());
}

#[tokio::test]
async fn a_work_tree_is_followed_through_its_repository() {
    let fixture = GitFixture::new().expect("a fixture");
    fixture.commit_file("app.yml", "v: 1").expect("a commit");
    let work = fixture.root().join("work");
    let served = Served::with(work.to_str().expect("a path"), |settings| settings.freshness = HOURLY).await;
    assert_eq!(served.version(None).await, fixture.head().expect("a commit"));
    let second = fixture.commit_file("app.yml", "v: 2").expect("a commit");
    let served = &served;
    eventually("the commit is served", SOON, async || {
        (served.version(None).await == second).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_proxy_is_used_except_for_hosts_that_are_exempt() {
    let fixture = GitFixture::new().expect("a fixture");
    let server = GitHttp::start(&fixture).await.expect("a server");
    let proxied = |exempt: &str| Proxy {
        scheme: "http".to_owned(),
        host: "127.0.0.1".to_owned(),
        port: server.port(),
        non_proxy_hosts: vec![exempt.to_owned()],
        username: None,
        password: None,
    };
    let through = proxied("*.other.invalid");
    let served = Served::with("http://git.config.invalid/config.git", |settings| {
        settings.proxies = vec![through];
    })
    .await;
    check_follows(&fixture, &served).await;
    let around = proxied("*.config.invalid");
    let served = Served::with("http://git.config.invalid/config.git", |settings| {
        settings.proxies = vec![around];
    })
    .await;
    let error = served.view(None).await.expect_err("no such host").to_string();
    assert!(error.contains("host name is not known"), "{error}");
}

fn no_sshd() -> bool {
    let missing = !Sshd::is_installed();
    #[expect(clippy::print_stderr, reason = "a skipped test says so")]
    if missing {
        eprintln!("SKIPPED: no sshd is installed, git over ssh is not tested");
    }
    missing
}

async fn over_ssh(sshd: &Sshd, key: String, change: impl FnOnce(&mut config_server::settings::GitSettings)) -> Served {
    let (algorithm, host_key) = sshd.host_key().expect("a host key");
    Served::with(&sshd.uri(), |settings| {
        settings.ssh.ignore_local = true;
        settings.ssh.private_key = Some(Secret::new(key));
        settings.ssh.host_key = Some(host_key);
        settings.ssh.host_key_algorithm = Some(algorithm);
        change(settings);
    })
    .await
}

#[tokio::test]
async fn ssh_is_followed_with_a_key() {
    if no_sshd() {
        return;
    }
    let fixture = GitFixture::new().expect("a fixture");
    let sshd = Sshd::start(&fixture).expect("a server");
    let served = over_ssh(&sshd, sshd.private_key().expect("a key"), |_| {}).await;
    check_follows(&fixture, &served).await;
}

#[tokio::test]
async fn ssh_is_followed_with_a_key_whatever_the_directory_is_called() {
    if no_sshd() {
        return;
    }
    let fixture = GitFixture::new().expect("a fixture");
    let sshd = Sshd::start(&fixture).expect("a server");
    let served = over_ssh(&sshd, sshd.private_key().expect("a key"), |settings| {
        settings.basedir = settings.basedir.join("of \"mirrors\" 100%h #1");
    })
    .await;
    check_follows(&fixture, &served).await;
}

#[tokio::test]
async fn ssh_is_followed_with_a_key_under_a_passphrase() {
    if no_sshd() {
        return;
    }
    let fixture = GitFixture::new().expect("a fixture");
    let sshd = Sshd::start(&fixture).expect("a server");
    let served = over_ssh(&sshd, sshd.locked_key().expect("a key"), |settings| {
        settings.credentials.passphrase = Some(Secret::new("open sesame".to_owned()));
    })
    .await;
    check_follows(&fixture, &served).await;
}

#[tokio::test]
async fn ssh_refuses_a_wrong_passphrase_a_foreign_key_and_a_foreign_host() {
    if no_sshd() {
        return;
    }
    let fixture = GitFixture::new().expect("a fixture");
    let sshd = Sshd::start(&fixture).expect("a server");
    let other = Sshd::start(&fixture).expect("a server");
    let (_, foreign_host) = other.host_key().expect("a host key");

    let wrong = over_ssh(&sshd, sshd.locked_key().expect("a key"), |settings| {
        settings.credentials.passphrase = Some(Secret::new("shazam".to_owned()));
    })
    .await;
    let error = wrong.view(None).await.expect_err("refused").to_string();
    assert!(error.contains("refuses the credentials"), "{error}");

    let foreign = over_ssh(&sshd, other.private_key().expect("a key"), |_| {}).await;
    let error = foreign.view(None).await.expect_err("refused").to_string();
    assert!(error.contains("refuses the credentials"), "{error}");

    let impostor = over_ssh(&sshd, sshd.private_key().expect("a key"), |settings| {
        settings.ssh.host_key = Some(foreign_host);
    })
    .await;
    let error = impostor.view(None).await.expect_err("refused").to_string();
    assert!(error.contains("host key"), "{error}");

    let (basedir, _) = impostor.close().await;
    let left: Vec<_> = std::fs::read_dir(basedir.path()).expect("a directory").collect();
    assert!(left.is_empty(), "keys are left behind: {left:?}");
}

#[tokio::test]
async fn a_local_commit_is_seen_at_once() {
    let fixture = GitFixture::new().expect("a fixture");
    let first = fixture.commit_file("app.yml", "v: 1").expect("a commit");
    let served = Served::with(&fixture.uri(), |settings| {
        settings.freshness = HOURLY;
    })
    .await;
    assert_eq!(served.version(None).await, first);
    let second = fixture.commit_file("app.yml", "v: 2").expect("a commit");
    let served = &served;
    eventually("the commit is served", SOON, async || {
        (served.version(None).await == second).then_some(())
    })
    .await;
}
