//! Several repositories behind one server, and directories.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use config_server::engine::document::Limits;
use config_server::settings::backend::PatternRepo;
use config_server::settings::{Backend, GitSettings, NativeSettings};
use config_server::store::{View, ViewError};
use tempfile::TempDir;
use test_support::git::Mute;
use test_support::{GitFixture, eventually};
use tokio::time::timeout;

use super::{SOON, Served, manual, query, text};

fn fixture(who: &str) -> GitFixture {
    let fixture = GitFixture::new().expect("a fixture");
    fixture.commit_file("who", who).expect("a commit");
    fixture
}

async fn who(served: &Served, application: &str, profiles: &str) -> Option<String> {
    let view = served.store.view(&query(application, profiles, None), &[]).await.ok()?;
    text(&view, "who")
}

fn pattern(name: &str, patterns: &[&str], git: GitSettings) -> PatternRepo {
    PatternRepo {
        name: name.to_owned(),
        patterns: patterns.iter().map(|pattern| (*pattern).to_owned()).collect(),
        git,
    }
}

#[tokio::test]
async fn patterns_choose_the_repository_and_the_default_one_serves_the_rest() {
    let (default, team, local) = (fixture("default"), fixture("team"), fixture("local"));
    let basedir = Arc::new(TempDir::new().expect("a directory"));
    let mut settings = manual(&default.uri(), basedir.path());
    settings.repos = vec![
        pattern("team", &["team*/*"], manual(&team.uri(), basedir.path())),
        pattern("local", &["local/dev"], manual(&local.uri(), basedir.path())),
        pattern("gone", &["gone"], manual("file:///nonexistent", basedir.path())),
    ];
    let served = Served::open(Backend::Git(settings), basedir, Arc::default()).await;
    for (application, profiles, expected) in [
        ("foo", "dev", "default"),
        ("team-a", "prod,dev", "team"),
        ("local", "dev,prod", "local"),
        ("local", "prod,dev", "default"),
        ("gone", "dev", "default"),
    ] {
        assert_eq!(
            who(&served, application, profiles).await.as_deref(),
            Some(expected),
            "{application}/{profiles}"
        );
    }
    // A label only the default repository has.
    default.branch("extra").expect("a branch");
    served.look().await;
    let view = served
        .store
        .view(&query("team-a", "dev", Some("extra")), &[])
        .await
        .expect("a view");
    assert_eq!(text(&view, "who").as_deref(), Some("default"));
}

/// Repositories `foo` and `bar` side by side.
fn side_by_side() -> TempDir {
    let root = TempDir::new().expect("a directory");
    for name in ["foo", "bar"] {
        let fixture = fixture(name);
        fs::rename(fixture.upstream(), root.path().join(name)).expect("moved");
    }
    root
}

#[tokio::test]
async fn placeholders_choose_the_repository_and_nothing_outside_its_place() {
    let root = side_by_side();
    let uri = format!("file://{}/{{application}}", root.path().display());
    let served = Served::git(&uri).await;
    assert_eq!(who(&served, "foo", "dev").await.as_deref(), Some("foo"));
    assert_eq!(who(&served, "bar", "dev").await.as_deref(), Some("bar"));
    let missing = served
        .store
        .view(&query("nope", "dev", None), &[])
        .await
        .expect_err("missing");
    assert!(matches!(missing, ViewError::Unreachable(_)), "{missing}");
    for hostile in ["../foo", "foo/../bar", "/foo", "foo#x", "foo%2fbar", "foo:1", ".git"] {
        let refused = served.store.view(&query(hostile, "dev", None), &[]).await;
        assert!(matches!(refused, Err(ViewError::Refused(_))), "{hostile}: {refused:?}");
    }
}

#[tokio::test]
async fn names_that_strangers_invent_never_push_out_what_works() {
    let root = side_by_side();
    let uri = format!("file://{}/{{application}}", root.path().display());
    let served = Served::with(&uri, |settings| settings.max_mirrors = 2).await;
    assert_eq!(who(&served, "foo", "dev").await.as_deref(), Some("foo"));
    for number in 0..10 {
        assert_eq!(who(&served, &format!("invented{number}"), "dev").await, None);
    }
    let repositories: Vec<String> = served
        .store
        .heads()
        .iter()
        .map(|head| head.repository.to_string())
        .collect();
    assert_eq!(repositories, [uri.replace("{application}", "foo")]);
    // A third one that works takes the place of an invented one; a fourth that of the oldest.
    assert_eq!(who(&served, "bar", "dev").await.as_deref(), Some("bar"));
    assert_eq!(who(&served, "foo", "dev").await.as_deref(), Some("foo"));
    assert_eq!(served.store.heads().len(), 2);
    let mirrors = || {
        fs::read_dir(served.basedir.path().join("completed-1"))
            .expect("a directory")
            .count()
    };
    eventually!(SOON, mirrors() == 2);
}

#[tokio::test]
async fn whoever_waits_for_a_repository_that_gives_way_is_told_so() {
    let mute = Mute::start().await.expect("a remote");
    let uri = format!("git://127.0.0.1:{}/{{application}}", mute.port());
    let served = Served::with(&uri, |settings| {
        settings.max_mirrors = 1;
        settings.timeout = Duration::from_secs(600);
    })
    .await;
    let of = async |name: &str| served.store.view(&query(name, "dev", None), &[]).await;
    let first = of("first");
    let second = of("second");
    tokio::pin!(first, second);
    assert!(futures_util::poll!(&mut first).is_pending());
    let told = timeout(SOON, async {
        tokio::select! {
            biased;
            told = &mut first => told,
            _ = &mut second => panic!("the remote says nothing"),
        }
    });
    let error = told
        .await
        .expect("an answer in time")
        .expect_err("displaced")
        .to_string();
    assert!(error.contains("gave way"), "{error}");
}

#[tokio::test]
async fn repositories_that_take_turns_in_one_place_are_served_whoever_asks_at_once() {
    let root = side_by_side();
    let uri = format!("file://{}/{{application}}", root.path().display());
    let served = Served::with(&uri, |settings| settings.max_mirrors = 1).await;
    for _ in 0..10 {
        for name in ["foo", "bar"] {
            let asked = (0..8).map(|_| who(&served, name, "dev"));
            let told = timeout(SOON, futures_util::future::join_all(asked)).await;
            for told in told.expect("answers in time") {
                assert_eq!(told.as_deref(), Some(name));
            }
        }
    }
    assert!(served.tasks.list().len() < 8, "{:?}", served.tasks.list());
}

#[tokio::test]
async fn a_completed_address_shares_no_mirror_with_a_fixed_one() {
    let root = side_by_side();
    let basedir = Arc::new(TempDir::new().expect("a directory"));
    let place = format!("file://{}", root.path().display());
    let mut settings = manual(&format!("{place}/{{application}}"), basedir.path());
    settings.max_mirrors = 1;
    settings.repos = vec![pattern(
        "fixed",
        &["fixed"],
        manual(&format!("{place}/foo"), basedir.path()),
    )];
    let served = Served::open(Backend::Git(settings), basedir, Arc::default()).await;
    for (application, expected) in [("fixed", "foo"), ("foo", "foo"), ("bar", "bar"), ("fixed", "foo")] {
        assert_eq!(who(&served, application, "dev").await.as_deref(), Some(expected));
    }
    // `foo` has given way to `bar`; the fixed mirror is still there for what it never read.
    assert!(
        served
            .store
            .view(&query("fixed", "dev", Some("main")), &[])
            .await
            .is_ok()
    );
    assert_eq!(served.look().await.failures, []);
}

fn native(directory: &Path) -> NativeSettings {
    NativeSettings {
        search_locations: vec![format!("file:{}/", directory.display())],
        add_label_locations: true,
        default_label: "master".to_owned(),
        version: None,
        fail_on_error: false,
        look_every: Duration::from_secs(3600),
        limits: Limits::default(),
    }
}

fn layers(view: &View) -> Vec<Option<String>> {
    let of = |index: usize, path| {
        text(
            &View {
                layers: vec![view.layers[index].clone()],
                ..view.clone()
            },
            path,
        )
    };
    (0..view.layers.len())
        .map(|index| of(index, "who").or_else(|| of(index, "0/who")))
        .collect()
}

#[tokio::test]
async fn a_composite_ranks_its_members_in_order_and_has_no_version() {
    let (first, second) = (fixture("first"), fixture("second"));
    let directory = TempDir::new().expect("a directory");
    fs::write(directory.path().join("who"), "native").expect("a file");
    let basedir = Arc::new(TempDir::new().expect("a directory"));
    let members = || {
        vec![
            Backend::Git(manual(&first.uri(), basedir.path())),
            Backend::Native(native(directory.path())),
            Backend::Git(manual(&second.uri(), basedir.path())),
        ]
    };
    let composite = |members, fail_on_error| Backend::Composite { members, fail_on_error };
    let served = Served::open(composite(members(), true), basedir.clone(), Arc::default()).await;
    let view = served.view(None).await.expect("a view");
    let expected = ["first", "native", "second"].map(|who| Some(who.to_owned()));
    assert_eq!(layers(&view), expected);
    assert_eq!((view.version.as_deref(), view.state), (None, None));
    assert!(matches!(
        served.view(Some("nope")).await,
        Err(ViewError::UnknownLabel(_))
    ));
    served.close().await;

    let lenient = Served::open(composite(members(), false), basedir.clone(), Arc::default()).await;
    let view = lenient.view(Some("nope")).await.expect("a view");
    assert_eq!(layers(&view), [Some("native".to_owned())]);
    lenient.close().await;

    let single = composite(members().drain(..1).collect(), true);
    let single = Served::open(single, basedir, Arc::default()).await;
    let view = single.view(None).await.expect("a view");
    assert_eq!((view.version.is_some(), view.state), (true, Some("")));
}

#[tokio::test]
async fn one_repository_used_twice_has_two_mirrors() {
    let repository = fixture("twice");
    let basedir = Arc::new(TempDir::new().expect("a directory"));
    let member = || Backend::Git(manual(&repository.uri(), basedir.path()));
    let backend = Backend::Composite {
        members: vec![member(), member()],
        fail_on_error: true,
    };
    let served = Served::open(backend, basedir.clone(), Arc::default()).await;
    assert_eq!(served.view(None).await.expect("a view").layers.len(), 2);
    repository.commit_file("who", "again").expect("a commit");
    assert_eq!(served.refresh().await.len(), 2);
    assert_eq!(served.log.moves().len(), 4);
}

#[tokio::test]
async fn a_directory_that_cannot_be_watched_yet_is_looked_for() {
    let parent = TempDir::new().expect("a directory");
    let path = parent.path().join("later");
    let settings = NativeSettings {
        look_every: Duration::from_millis(50),
        ..native(&path)
    };
    let basedir = Arc::new(TempDir::new().expect("a directory"));
    let served = Served::open(Backend::Native(settings), basedir, Arc::default()).await;
    fs::create_dir(&path).expect("a directory");
    fs::write(path.join("app.yml"), "v: 1").expect("a file");
    let served = &served;
    eventually("the directory is served", Duration::from_secs(4), async || {
        let view = served.view(None).await.expect("a view");
        (text(&view, "0/app.yml").as_deref() == Some("v: 1")).then_some(())
    })
    .await;
}

#[tokio::test]
async fn directories_are_watched_and_their_changes_are_moves() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("app.yml");
    fs::write(&path, "v: 1").expect("a file");
    let basedir = Arc::new(TempDir::new().expect("a directory"));
    let served = Served::open(Backend::Native(native(directory.path())), basedir, Arc::default()).await;
    let view = served.view(None).await.expect("a view");
    assert_eq!(text(&view, "0/app.yml").as_deref(), Some("v: 1"));
    assert_eq!((view.version, view.state), (None, None));
    let served = &served;
    fs::write(&path, "v: 2").expect("a file");
    eventually("the change is served", SOON, async || {
        let view = served.view(None).await.expect("a view");
        (text(&view, "0/app.yml").as_deref() == Some("v: 2")).then_some(())
    })
    .await;
    // Looking tells the same, and a broken file has the whole one behind it.
    fs::write(&path, "v: [").expect("a file");
    served.refresh().await;
    let view = served.view(Some("any")).await.expect("a view");
    let layer = &view.layers[0];
    assert_eq!(&*layer.label, "any");
    assert_ne!(layer.soundest.commit, layer.snapshot.commit);
    assert!(served.log.moves().len() >= 3);
    let current = view.layers[0].snapshot.commit.to_string();
    assert!(served.at_least(&current).await.is_ok());
}

#[tokio::test]
async fn a_swapped_kubernetes_volume_is_seen() {
    use std::os::unix::fs::symlink;
    let directory = TempDir::new().expect("a directory");
    let at = |name: &str| directory.path().join(name);
    for (volume, content) in [("..1", "v: 1"), ("..2", "v: 2")] {
        fs::create_dir(at(volume)).expect("a directory");
        fs::write(at(volume).join("app.yml"), content).expect("a file");
    }
    symlink("..1", at("..data")).expect("a link");
    symlink("..data/app.yml", at("app.yml")).expect("a link");
    let basedir = Arc::new(TempDir::new().expect("a directory"));
    let served = Served::open(Backend::Native(native(directory.path())), basedir, Arc::default()).await;
    symlink("..2", at("..tmp")).expect("a link");
    fs::rename(at("..tmp"), at("..data")).expect("a swap");
    let served = &served;
    eventually("the new volume is served", SOON, async || {
        let view = served.view(None).await.expect("a view");
        (text(&view, "0/app.yml").as_deref() == Some("v: 2")).then_some(())
    })
    .await;
}
