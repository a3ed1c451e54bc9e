//! Everything that may happen to a remote or a mirror: a clear message, and what is known is served.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use config_server::settings::Backend;
use config_server::settings::encrypt::Secret;
use config_server::store::{OpenError, ViewError};
use test_support::GitFixture;
use test_support::git::{Answer, Dripping, GitHttp, Mute};
use tokio::time::Instant;

use super::{Served, manual, text};

const DEADLINE: Duration = Duration::from_millis(1500);

async fn hasty(uri: &str) -> Served {
    Served::with(uri, |settings| settings.timeout = DEADLINE).await
}

async fn check_is_cut(uri: &str) {
    let served = hasty(uri).await;
    let begun = Instant::now();
    let error = served.view(None).await.expect_err("nothing is known yet");
    let took = begun.elapsed();
    assert!(error.to_string().contains("did not answer within 1.5s"), "{error}");
    assert!(took < DEADLINE * 2, "{uri} took {took:?}");
    served.close().await;
}

#[tokio::test]
async fn a_remote_that_says_nothing_is_cut_at_the_deadline() {
    let mute = Mute::start().await.expect("a remote");
    for scheme in ["git", "http", "https", "ssh"] {
        check_is_cut(&format!("{scheme}://127.0.0.1:{}/x", mute.port())).await;
    }
}

#[tokio::test]
async fn a_remote_that_drips_is_cut_at_the_deadline() {
    let git = Dripping::start(b"0100").await.expect("a remote");
    check_is_cut(&format!("git://127.0.0.1:{}/x", git.port())).await;
    let http = Dripping::start(b"HTTP/1.1 200 OK\r\n").await.expect("a remote");
    check_is_cut(&format!("http://127.0.0.1:{}/x", http.port())).await;
}

#[tokio::test]
async fn a_server_stops_at_once_though_a_remote_hangs() {
    let mute = Mute::start().await.expect("a remote");
    let served = Served::with(&format!("git://127.0.0.1:{}/x", mute.port()), |settings| {
        settings.timeout = Duration::from_secs(600);
    })
    .await;
    served.close().await;
}

#[tokio::test]
async fn readers_do_not_wait_for_a_remote_that_hangs() {
    let fixture = GitFixture::new().expect("a fixture");
    let commit = fixture.commit_file("app.yml", "v: 1").expect("a commit");
    let server = GitHttp::start(&fixture).await.expect("a server");
    let served = Served::git(&server.uri()).await;
    assert_eq!(served.version(None).await, commit);
    // From here on the same address never answers again.
    let mute = Mute::start().await.expect("a remote");
    server.answer(Answer::Redirect(format!("http://127.0.0.1:{}", mute.port())));
    let looking = served.look();
    tokio::pin!(looking);
    assert!(futures_util::poll!(&mut looking).is_pending());
    let begun = Instant::now();
    for _ in 0..100 {
        assert_eq!(served.version(None).await, commit);
    }
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert_eq!(looking.await.failures.len(), 1);
}

#[tokio::test]
async fn each_refusal_has_its_message() {
    let fixture = GitFixture::new().expect("a fixture");
    fixture.commit_file("app.yml", "v: 1").expect("a commit");
    let server = GitHttp::start(&fixture).await.expect("a server");
    for (answer, message) in [
        (Answer::Status(500), "HTTP status 500"),
        (Answer::Status(503), "HTTP status 503"),
        (Answer::Status(401), "refuses the credentials"),
        (Answer::Status(403), "refuses the credentials"),
        (Answer::Status(404), "no git repository"),
    ] {
        server.answer(answer.clone());
        let served = hasty(&server.uri()).await;
        let error = served.view(None).await.expect_err("refused");
        let expected = format!("the repository cannot be read: {}: ", server.uri());
        assert!(error.to_string().starts_with(&expected), "{error}");
        assert!(error.to_string().contains(message), "{answer:?}: {error}");
    }
}

#[tokio::test]
async fn wrong_credentials_are_refused_without_being_repeated() {
    let fixture = GitFixture::new().expect("a fixture");
    let server = GitHttp::start_for(&fixture, "Basic bWU6czNjcmV0")
        .await
        .expect("a server");
    let served = Served::with(&server.uri(), |settings| {
        settings.credentials.username = Some("me".to_owned());
        settings.credentials.password = Some(Secret::new("hunter2".to_owned()));
    })
    .await;
    let error = served.view(None).await.expect_err("refused").to_string();
    assert!(
        error.contains("refuses the credentials") && !error.contains("hunter2"),
        "{error}"
    );
}

#[tokio::test]
async fn a_closed_port_a_missing_directory_and_a_plain_web_page_are_told_apart() {
    let refused = hasty("git://127.0.0.1:1/x").await;
    let error = refused.view(None).await.expect_err("refused").to_string();
    assert!(error.contains("connection refused"), "{error}");

    for address in [
        "git://nowhere.invalid/x",
        "http://nowhere.invalid/x",
        "ssh://nowhere.invalid/x",
    ] {
        let nowhere = hasty(address).await;
        let error = nowhere.view(None).await.expect_err("refused").to_string();
        assert!(error.contains("host name is not known"), "{error}");
    }

    let missing = hasty("file:///nonexistent/config.git").await;
    let error = missing.view(None).await.expect_err("refused").to_string();
    assert!(error.contains("no git repository"), "{error}");
    let (basedir, _) = missing.close().await;
    assert!(!error.contains(basedir.path().to_str().expect("a path")), "{error}");

    let page = GitHttp::start(&GitFixture::new().expect("a fixture"))
        .await
        .expect("a server");
    page.answer(Answer::Status(200));
    let served = hasty(&page.uri()).await;
    let error = served.view(None).await.expect_err("refused").to_string();
    assert!(error.contains("no git repository"), "{error}");
}

#[tokio::test]
async fn a_deleted_remote_leaves_the_last_good_state_marked_as_stale() {
    let fixture = GitFixture::new().expect("a fixture");
    let commit = fixture.commit_file("app.yml", "v: 1").expect("a commit");
    let served = Served::git(&fixture.uri()).await;
    assert_eq!(served.version(None).await, commit);
    fixture.hide().expect("hidden");
    let outcome = served.look().await;
    assert_eq!(outcome.failures.len(), 1);
    assert_eq!(outcome.heads[0].commit.as_str(), commit);
    let view = served.view(None).await.expect("the last good state");
    assert_eq!(text(&view, "app.yml").as_deref(), Some("v: 1"));
    assert!(view.stale.is_some());
    let status = &served.store.heads()[0];
    assert!(
        status
            .error
            .as_ref()
            .is_some_and(|error| error.contains("no git repository"))
    );

    // And over a restart.
    let (basedir, log) = served.close().await;
    let settings = Backend::Git(manual(&fixture.uri(), basedir.path()));
    let served = Served::open(settings, basedir.clone(), log).await;
    assert_eq!(served.version(None).await, commit);
    fixture.unhide().expect("back");
    served.refresh().await;
    assert!(served.view(None).await.expect("a view").stale.is_none());
}

type Damage = fn(&Path);

fn mirror(basedir: &Path) -> PathBuf {
    let mut entries = fs::read_dir(basedir).expect("a directory");
    entries.next().expect("a mirror").expect("an entry").path()
}

fn damage_packs(mirror: &Path) {
    for entry in fs::read_dir(mirror.join("objects/pack")).expect("packs") {
        let path = entry.expect("an entry").path();
        let mut permissions = fs::metadata(&path).expect("metadata").permissions();
        #[expect(clippy::permissions_set_readonly_false, reason = "a file of the test's own")]
        permissions.set_readonly(false);
        fs::set_permissions(&path, permissions).expect("permissions");
        fs::write(&path, "damaged").expect("written");
    }
}

#[tokio::test]
async fn a_damaged_mirror_is_cloned_anew() {
    let fixture = GitFixture::new().expect("a fixture");
    let commit = fixture.commit_file("app.yml", "v: 1").expect("a commit");
    let damages: [(&str, Damage); 3] = [
        ("packs", damage_packs),
        ("no objects", |mirror| {
            fs::remove_dir_all(mirror.join("objects")).expect("removed")
        }),
        ("no HEAD", |mirror| {
            fs::remove_file(mirror.join("HEAD")).expect("removed")
        }),
    ];
    for (name, damage) in damages {
        let served = Served::git(&fixture.uri()).await;
        assert_eq!(served.version(None).await, commit);
        let (basedir, log) = served.close().await;
        damage(&mirror(basedir.path()));
        let settings = Backend::Git(manual(&fixture.uri(), basedir.path()));
        let served = Served::open(settings, basedir.clone(), log).await;
        let view = served.view(None).await;
        let view = view.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(text(&view, "app.yml").as_deref(), Some("v: 1"), "{name}");
    }
}

#[tokio::test]
async fn damage_found_while_running_is_mended_and_the_move_arrives() {
    let fixture = GitFixture::new().expect("a fixture");
    let first = fixture.commit_file("app.yml", "v: 1").expect("a commit");
    let served = Served::git(&fixture.uri()).await;
    assert_eq!(served.version(None).await, first);
    damage_packs(&mirror(served.basedir.path()));
    let second = fixture.commit_file("app.yml", "v: 2").expect("a commit");
    let served = &served;
    test_support::eventually("the new commit is served", super::SOON, async || {
        served.look().await;
        (served.version(None).await == second).then_some(())
    })
    .await;
}

#[tokio::test]
async fn locks_that_a_killed_process_left_in_the_mirror_stop_nothing() {
    let fixture = GitFixture::new().expect("a fixture");
    let first = fixture.commit_file("app.yml", "v: 1").expect("a commit");
    let served = Served::git(&fixture.uri()).await;
    assert_eq!(served.version(None).await, first);
    for name in ["index.lock", "HEAD.lock", "packed-refs.lock", "refs/heads/main.lock"] {
        let lock = fs::File::create(mirror(served.basedir.path()).join(name)).expect("a lock");
        lock.set_modified(SystemTime::now() - Duration::from_secs(60))
            .expect("its time");
    }
    let second = fixture.commit_file("app.yml", "v: 2").expect("a commit");
    served.refresh().await;
    assert_eq!(served.version(None).await, second);
}

#[tokio::test]
async fn a_planted_link_in_place_of_the_mirror_is_not_followed() {
    let fixture = GitFixture::new().expect("a fixture");
    fixture.commit_file("app.yml", "v: 1").expect("a commit");
    let served = Served::git(&fixture.uri()).await;
    served.version(None).await;
    let (basedir, log) = served.close().await;
    let place = mirror(basedir.path());
    let elsewhere = tempfile::tempdir().expect("a directory");
    fs::remove_dir_all(&place).expect("removed");
    std::os::unix::fs::symlink(elsewhere.path(), &place).expect("a link");
    let settings = Backend::Git(manual(&fixture.uri(), basedir.path()));
    let served = Served::open(settings, basedir.clone(), log).await;
    let error = served.view(None).await.expect_err("refused").to_string();
    assert!(error.contains("cannot be kept on disk"), "{error}");
    assert_eq!(fs::read_dir(elsewhere.path()).expect("a directory").count(), 0);
}

#[tokio::test]
async fn many_small_fetches_do_not_leave_many_packs() {
    let fixture = GitFixture::new().expect("a fixture");
    fixture.commit_file("app.yml", "v: 0").expect("a commit");
    fixture.annotated_tag("first").expect("a tag");
    let served = Served::git(&fixture.uri()).await;
    served.version(None).await;
    let mut last = String::new();
    for number in 0..70 {
        last = fixture
            .commit_file("app.yml", format!("v: {number}"))
            .expect("a commit");
        served.refresh().await;
    }
    let packs = fs::read_dir(mirror(served.basedir.path()).join("objects/pack")).expect("packs");
    let packs = packs.filter(|entry| {
        let path = entry.as_ref().expect("an entry").path();
        path.extension().is_some_and(|extension| extension == "pack")
    });
    assert!(packs.count() < 10);
    let (basedir, log) = served.close().await;
    let settings = Backend::Git(manual(&fixture.uri(), basedir.path()));
    let served = Served::open(settings, basedir.clone(), log).await;
    assert_eq!(served.version(None).await, last);
    assert!(served.view(Some("first")).await.is_ok());
}

#[tokio::test]
async fn packs_that_cannot_become_one_are_no_reason_to_serve_what_is_old() {
    let fixture = GitFixture::new().expect("a fixture");
    fixture.commit_file("app.yml", "v: 0").expect("a commit");
    let served = Served::git(&fixture.uri()).await;
    served.version(None).await;
    // Packs that cannot be removed.
    for number in 0..70 {
        let pack = mirror(served.basedir.path()).join(format!("objects/pack/stray{number}.pack"));
        fs::create_dir(pack).expect("a directory");
    }
    let last = fixture.commit_file("app.yml", "v: 1").expect("a commit");
    served.refresh().await;
    assert_eq!(served.version(None).await, last);
    // It reads everything: it is not tried in vain at every look.
    let packs = mirror(served.basedir.path()).join("objects/pack");
    let written = || fs::metadata(&packs).and_then(|packs| packs.modified()).expect("a time");
    let before = written();
    served.refresh().await;
    assert_eq!(written(), before);
}

#[tokio::test]
async fn commits_that_strangers_invent_are_looked_for_with_pauses() {
    let fixture = GitFixture::new().expect("a fixture");
    let commit = fixture.commit_file("app.yml", "v: 1").expect("a commit");
    let server = GitHttp::start(&fixture).await.expect("a server");
    let served = Served::git(&server.uri()).await;
    assert_eq!(served.version(None).await, commit);
    let begun = Instant::now();
    for digit in ["1", "2", "3"] {
        assert!(served.at_least(&digit.repeat(40)).await.is_err());
    }
    assert!(begun.elapsed() > Duration::from_secs(2), "{:?}", begun.elapsed());
    // What somebody orders comes at once.
    let begun = Instant::now();
    served.refresh().await;
    assert!(begun.elapsed() < Duration::from_millis(900), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn hostile_trees_are_served_without_what_is_hostile() {
    let fixture = GitFixture::new().expect("a fixture");
    fixture.write_file("app.yml", "v: 1").expect("a file");
    fixture.link("inside.yml", "app.yml").expect("a link");
    fixture.link("outside.yml", "../../etc/passwd").expect("a link");
    fixture
        .write_file("big.bin", vec![b'x'; 5 * 1024 * 1024])
        .expect("a file");
    fixture
        .write_file("big.yml", vec![b'x'; 5 * 1024 * 1024])
        .expect("a file");
    let other = GitFixture::new().expect("a fixture");
    let commit = other.commit_file("x", "x").expect("a commit");
    let submodule = format!("160000,{commit},module");
    fixture
        .git(["update-index", "--add", "--cacheinfo", &submodule])
        .expect("a submodule");
    fixture
        .git(["add", "app.yml", "inside.yml", "outside.yml", "big.bin", "big.yml"])
        .expect("added");
    fixture.git(["commit", "-q", "-m", "hostile"]).expect("a commit");
    fixture.git(["push", "-q", "origin", "HEAD"]).expect("a push");
    let served = Served::git(&fixture.uri()).await;
    let view = served.view(None).await.expect("a view");
    let names: Vec<&str> = view.layers[0].snapshot.root.entries.keys().map(AsRef::as_ref).collect();
    assert_eq!(names, ["app.yml", "big.bin", "big.yml", "inside.yml", "outside.yml"]);
    assert_eq!(
        served.store.heads()[0].broken,
        ["big.yml".into()],
        "past the limit of a configuration file"
    );
}

#[tokio::test]
async fn settings_that_cannot_be_used_are_refused_at_the_start() {
    let basedir = tempfile::tempdir().expect("a directory");
    let open = async |uri: &str, clone_on_start: bool| {
        let mut settings = manual(uri, basedir.path());
        settings.clone_on_start = clone_on_start;
        settings.timeout = DEADLINE;
        let tasks = config_server::tasks::Tasks::default();
        let stop = tokio_util::sync::CancellationToken::new();
        let log = std::sync::Arc::new(config_server::store::head_log::memory::MemoryHeadLog::default());
        let opened = config_server::store::Store::open(&Backend::Git(settings), log, &tasks, stop.clone()).await;
        stop.cancel();
        opened.err()
    };
    assert!(matches!(open("ftp://h/x", false).await, Some(OpenError::Git(_))));
    assert!(matches!(
        open("https://{application}/x", false).await,
        Some(OpenError::Template(_))
    ));
    assert!(matches!(
        open("git://127.0.0.1:1/x", true).await,
        Some(OpenError::Clone(_))
    ));
    assert!(open("git://127.0.0.1:1/x", false).await.is_none());
}

#[tokio::test]
async fn an_empty_repository_knows_no_label() {
    let fixture = GitFixture::new().expect("a fixture");
    let served = Served::git(&fixture.uri()).await;
    assert!(matches!(served.view(None).await, Err(ViewError::UnknownLabel(_))));
    let commit = fixture.commit_file("app.yml", "v: 1").expect("a commit");
    served.refresh().await;
    assert_eq!(served.version(None).await, commit);
}
