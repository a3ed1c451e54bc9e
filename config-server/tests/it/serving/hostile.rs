//! What strangers and repositories try: every class of the stock server's security history
//! (contract 9.3), against the whole server.
//!
//! Requests are written to the socket as they stand: a client would tidy their paths.

mod log;
mod wire;

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use config_server::settings::serving::Gate;
use config_server::settings::{Backend, NativeSettings, Settings};
use reqwest::Method;
use tempfile::TempDir;
use test_support::GitFixture;
use test_support::git::{Answer, GitHttp};

use super::harness::{App, answer, gated};

/// What lies outside of what is served.
const OUTSIDE: &str = "never-to-be-served";

/// The parent directory, in every spelling that has worked on somebody.
const PARENTS: [&str; 9] = [
    "..",
    "%2e%2e",
    "%2E.",
    ".%2e",
    "%252e%252e",
    "..%5c..",
    "..;x=1",
    "..%00",
    "%c0%ae%c0%ae",
];

/// Where a parent could stand: in names, profiles, labels and paths.
const PLACES: [&str; 14] = [
    "/orders/dev/main/{}/outside/secret.txt",
    "/orders/dev/main/{}%2Foutside%2Fsecret.txt",
    "/orders/dev/main/{}%252Foutside%252Fsecret.txt",
    "/orders/dev/main/sub/{}/{}/outside/secret.txt",
    "/orders/dev/{}(_)outside/secret.txt",
    "/orders/dev/{}%2Foutside/secret.txt",
    "/orders/dev/{}%252Foutside/secret.txt",
    "/orders/dev/{}(_)outside",
    "/orders/{}(_)outside",
    "/orders/{}%2Foutside/main",
    "/orders/x,{}(_)outside/main/secret.txt",
    "/{}(_)outside/dev",
    "/{}(_)outside/orders-dev.yml",
    "/orders/dev/(_)outside{}/secret.txt",
];

/// Directories to serve, with something beside them that is not.
fn directories() -> TempDir {
    let disk = TempDir::new().unwrap();
    for (path, content) in [
        ("served/orders.yml", "a: 1\n".to_owned()),
        ("served/notes.txt", "notes\n".to_owned()),
        ("outside/secret.txt", OUTSIDE.to_owned()),
        ("outside/orders.yml", format!("secret: {OUTSIDE}\n")),
    ] {
        let path = disk.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    disk
}

/// A server of directories; requests choose among them by all they have.
async fn native(disk: &Path) -> App {
    let served = format!("file:{}/served", disk.display());
    let locations = [
        served.clone(),
        format!("{served}/{{application}}"),
        format!("{served}/{{profile}}"),
        format!("{served}/{{label}}"),
    ];
    let locations: Vec<&str> = locations.iter().map(String::as_str).collect();
    App::start_with(|settings| settings.backend = Backend::Native(NativeSettings::for_testing(&locations))).await
}

/// Asks for every parent in every place; none is found.
async fn check_nothing_is_above(app: &App) {
    for place in PLACES {
        for parent in PARENTS {
            let path = place.replace("{}", parent);
            let got = wire::get(app.address, &path).await;
            assert!([400, 404].contains(&got.status), "{path}: {got:?}");
            assert!(!got.text.contains(OUTSIDE), "{path}: {got:?}");
        }
    }
}

#[tokio::test]
async fn nothing_above_a_repository_can_be_asked_for() {
    let app = App::start_with(|settings| {
        if let Backend::Git(git) = &mut settings.backend {
            git.search_paths = vec!["{application}".into(), "{profile}".into(), "{label}".into()];
        }
    })
    .await;
    assert_eq!(wire::get(app.address, "/orders/dev/main/notes.txt").await.status, 200);
    check_nothing_is_above(&app).await;
    app.stop().await.unwrap();
}

#[tokio::test]
async fn nothing_above_a_directory_can_be_asked_for() {
    let disk = directories();
    let app = native(disk.path()).await;
    assert_eq!(wire::get(app.address, "/orders/dev/main/notes.txt").await.status, 200);
    check_nothing_is_above(&app).await;
    app.stop().await.unwrap();
}

#[tokio::test]
async fn no_request_chooses_the_host_of_a_repository() {
    let bait = TcpListener::bind("127.0.0.1:0").unwrap();
    bait.set_nonblocking(true).unwrap();
    let host = bait.local_addr().unwrap().to_string();
    for place in ["{application}", "{profile}", "{label}"] {
        let app = App::start_with(|settings| {
            if let Backend::Git(git) = &mut settings.backend {
                git.uri = git.uri.replace("/config.git", &format!("/{place}")).into();
            }
        })
        .await;
        for value in [
            format!("@{host}"),
            format!("x@{host}(_)config.git"),
            format!("(_){host}(_)config.git"),
            format!("(_)(_){host}"),
            format!("http:(_)(_){host}(_)x"),
            format!("..(_)..(_){host}"),
            format!("%40{host}"),
            format!("%2540{host}"),
        ] {
            let asked = match place {
                "{application}" => format!("/{value}/dev/main"),
                "{profile}" => format!("/orders/{value}/main"),
                _ => format!("/orders/dev/{value}"),
            };
            let got = wire::get(app.address, &asked).await;
            assert!([400, 404].contains(&got.status), "{place} {asked}: {got:?}");
        }
        app.stop().await.unwrap();
    }
    let knocked = bait.accept().map(|_| ()).map_err(|error| error.kind());
    assert_eq!(knocked, Err(std::io::ErrorKind::WouldBlock));
}

#[tokio::test]
async fn links_out_of_a_repository_and_its_own_files_are_not_there() {
    let app = App::start_with(|settings| gated(settings, Gate::Off)).await;
    for (link, target) in [
        ("absolute.txt", "/etc/passwd"),
        ("up.txt", "../../../../../../etc/passwd"),
        ("own.txt", ".git/config"),
        ("evil.yml", "/etc/passwd"),
        ("loop.txt", "loop.txt"),
        ("through/absolute", "/etc"),
    ] {
        app.git.link(link, target).unwrap();
    }
    app.git.commit("links").unwrap();
    app.refresh().await;
    for path in [
        "absolute.txt",
        "up.txt",
        "own.txt",
        "loop.txt",
        "through/absolute/passwd",
        ".git/config",
        ".git/HEAD",
        ".GIT/config",
        "%2egit/config",
        "sub/.git/config",
    ] {
        let got = wire::get(app.address, &format!("/orders/dev/main/{path}")).await;
        assert!([400, 404].contains(&got.status), "{path}: {got:?}");
        assert!(!got.text.contains("root:") && !got.text.contains("[core]"), "{path}");
    }
    let evil = app.get("/evil/dev").await;
    assert!(
        !evil.body.contains("evil.yml") && !evil.body.contains("root:"),
        "{}",
        evil.body
    );
    app.stop().await.unwrap();
}

#[tokio::test]
async fn links_out_of_a_directory_are_not_there() {
    let disk = directories();
    let served = disk.path().join("served");
    symlink("../outside/secret.txt", served.join("up.txt")).unwrap();
    symlink(disk.path().join("outside/orders.yml"), served.join("evil.yml")).unwrap();
    symlink("../outside", served.join("dev")).unwrap();
    let app = native(disk.path()).await;
    for path in [
        "/orders/dev/main/up.txt",
        "/evil/default",
        "/orders/dev/main/dev/secret.txt",
        "/orders/dev/dev",
        "/orders/dev/main",
    ] {
        let got = wire::get(app.address, path).await;
        assert!(!got.text.contains(OUTSIDE), "{path}: {got:?}");
    }
    app.stop().await.unwrap();
}

/// The mirror of the one repository.
fn mirror(kept: &Path) -> PathBuf {
    let mut entries = fs::read_dir(kept.join("mirrors"))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .find(|path| path.extension().is_some_and(|kind| kind == "git"))
        .unwrap()
}

#[tokio::test]
async fn a_link_planted_in_place_of_a_mirror_is_neither_followed_nor_emptied() {
    let app = App::start().await;
    assert_eq!(wire::get(app.address, "/orders/dev").await.status, 200);
    let elsewhere = TempDir::new().unwrap();
    fs::write(elsewhere.path().join("keep.txt"), "mine").unwrap();
    let mirror = mirror(app.kept.path());
    // Where a new clone grows, then where the mirror is.
    for place in [mirror.with_extension("new"), mirror.clone()] {
        fs::remove_dir_all(&mirror).unwrap();
        symlink(elsewhere.path(), &place).unwrap();
        app.git.commit_file("orders.yml", "a: 2\n").unwrap();
        answer(app.request(Method::POST, "/bus/refresh")).await;
        let names: Vec<_> = fs::read_dir(elsewhere.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(names, ["keep.txt"]);
        assert_eq!(fs::read_to_string(elsewhere.path().join("keep.txt")).unwrap(), "mine");
        assert_eq!(wire::get(app.address, "/orders/dev").await.status, 200);
    }
    app.stop().await.unwrap();
}

/// Every page that tells how the server does.
const TELLING: [&str; 12] = [
    "/orders/dev",
    "/orders/dev/none",
    "/orders-dev.yml",
    "/orders/dev/main/none.txt",
    "/actuator/health",
    "/actuator/info",
    "/actuator/env",
    "/actuator/metrics",
    "/actuator/prometheus",
    "/bus/agents",
    "/bus/refreshes",
    "/ready",
];

/// The login in a repository's address, and a value that a broken file holds.
const PASSWORD: &str = "the-robots-password";
const VALUE: &str = "the-value-of-a-property";

async fn check_no_secret_is_told(app: &App) {
    let refreshed = answer(app.request(Method::POST, "/bus/refresh")).await;
    assert!(!refreshed.body.contains(PASSWORD), "{}", refreshed.body);
    for path in TELLING {
        let got = wire::get(app.address, path).await;
        for secret in [PASSWORD, "cm9ib3Q6", VALUE] {
            assert!(!got.text.contains(secret), "{path}: {got:?}");
        }
    }
}

#[tokio::test]
async fn secrets_are_in_no_answer_and_no_line_of_the_log() {
    let log = log::keep(&["/config.git"], &[PASSWORD, "cm9ib3Q6", VALUE]);
    let git = GitFixture::new().unwrap();
    git.commit_file("orders.yml", "a: 1\n").unwrap();
    // `robot:the-robots-password`
    let http = GitHttp::start_for(&git, "Basic cm9ib3Q6dGhlLXJvYm90cy1wYXNzd29yZA==")
        .await
        .unwrap();
    let uri = http.uri_with(&format!("robot:{PASSWORD}"));
    let app = App::start_with(|settings| {
        gated(settings, Gate::Off);
        served_from(settings, &uri);
    })
    .await;
    check_no_secret_is_told(&app).await;
    assert_eq!(wire::get(app.address, "/orders/dev").await.status, 200);

    git.commit_file("orders.yml", format!("a: \"{VALUE}\n")).unwrap();
    check_no_secret_is_told(&app).await;
    assert_eq!(wire::get(app.address, "/orders/dev").await.status, 500);

    for refusal in [
        Answer::Status(401),
        Answer::Status(500),
        Answer::Redirect(http.origin()),
    ] {
        http.answer(refusal);
        check_no_secret_is_told(&app).await;
    }
    app.stop().await.unwrap();
    let kept = log.kept();
    assert!(kept.seen > 0, "the log was not looked at");
    assert_eq!(kept.leaks, Vec::<String>::new());
}

fn served_from(settings: &mut Settings, uri: &str) {
    if let Backend::Git(git) = &mut settings.backend {
        git.uri = uri.into();
    }
}

/// Each name doubles the one before nine times over.
fn alias_bomb() -> String {
    let mut text = "a: &a [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (name, before) in ('b'..='i').zip('a'..) {
        let many = vec![format!("*{before}"); 9].join(", ");
        text.push_str(&format!("{name}: &{name} [{many}]\n"));
    }
    text
}

/// Each key is repeated in front of everything below it.
fn long_keys() -> String {
    let below: String = (0..10_000).map(|n| format!("k{n}: 1,")).collect();
    format!("? {}\n: {{{below}}}", "k".repeat(900_000))
}

/// Each value is the next one twice.
fn doubling() -> String {
    let line = |n: usize| format!("k{n}=${{k{next}}}${{k{next}}}\n", next = n + 1);
    (0..60).map(line).collect::<String>() + "k60=x\n"
}

#[tokio::test]
async fn what_is_too_much_is_refused_with_the_name_of_the_limit() {
    let app = App::start_with(|settings| gated(settings, Gate::Off)).await;
    for (file, content) in [
        ("big.yml", format!("a: {}\n", "x".repeat(10_000_000))),
        ("bomb.yml", alias_bomb()),
        ("deep.yml", "[".repeat(100_000)),
        ("fat.yml", long_keys()),
        ("grown.properties", doubling()),
    ] {
        app.git.write_file(file, content).unwrap();
    }
    app.git.commit("too much").unwrap();
    app.refresh().await;
    for (application, limit) in [
        ("big", "file-size"),
        ("bomb", "nodes"),
        ("deep", "depth"),
        ("fat", "expansion"),
    ] {
        for path in [format!("/{application}/dev"), format!("/{application}-dev.yml")] {
            let got = wire::get(app.address, &path).await;
            assert_eq!(got.status, 422, "{path}: {got:?}");
            assert!(got.text.contains(&format!("{application}.yml")), "{path}: {got:?}");
            assert!(
                got.text.contains(&format!("config-bus.limits.{limit}")),
                "{path}: {got:?}"
            );
        }
    }
    let grown = wire::get(app.address, "/grown-dev.yml").await;
    assert_eq!(grown.status, 422, "{grown:?}");
    assert!(grown.text.contains("config-bus.limits.expansion"), "{grown:?}");
    let many = |what: &str, count: usize| (0..count).map(|n| format!("{what}{n}")).collect::<Vec<_>>().join(",");
    for (path, limit) in [
        (format!("/orders/{}", many("p", 33)), "profiles"),
        (format!("/{}/dev", many("a", 17)), "applications"),
    ] {
        let got = wire::get(app.address, &path).await;
        assert_eq!(got.status, 400, "{path}: {got:?}");
        assert!(
            got.text.contains(&format!("config-bus.limits.{limit}")),
            "{path}: {got:?}"
        );
    }
    assert_eq!(wire::get(app.address, "/orders/dev").await.status, 200);
    app.stop().await.unwrap();
}
