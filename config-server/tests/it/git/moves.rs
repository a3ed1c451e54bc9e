//! Heads move, and every move is written down once, after it is served.

use std::sync::Arc;

use config_server::engine::document::{Format, Limits};
use config_server::engine::tree::{Directory, Node};
use config_server::settings::Backend;
use config_server::settings::backend::Freshness;
use config_server::store::head_log::memory::{MemoryHeadLog, Recorded};
use config_server::store::{View, ViewError};
use test_support::GitFixture;

use super::{Served, manual, text};

fn moves(log: &MemoryHeadLog) -> Vec<(Option<String>, String)> {
    let tell = |moved: Recorded| (moved.from.map(String::from), String::from(moved.to));
    log.moves().into_iter().map(tell).collect()
}

#[tokio::test]
async fn every_move_is_written_down_force_pushes_and_rollbacks_included() {
    let fixture = GitFixture::new().expect("a fixture");
    let first = fixture.commit_file("app.yml", "v: 1").expect("a commit");
    let served = Served::git(&fixture.uri()).await;
    assert_eq!(served.version(None).await, first);
    let second = fixture.commit_file("app.yml", "v: 2").expect("a commit");
    served.refresh().await;
    fixture.write_file("app.yml", "v: 2b").expect("a file");
    let rewritten = fixture.force_push("rewritten").expect("a push");
    served.refresh().await;
    fixture.reset(&first).expect("a reset");
    served.refresh().await;
    // Nothing new: nothing to write down.
    served.refresh().await;
    assert_eq!(served.version(None).await, first);
    assert_eq!(
        moves(&served.log),
        [
            (None, first.clone()),
            (Some(first.clone()), second.clone()),
            (Some(second), rewritten.clone()),
            (Some(rewritten), first),
        ]
    );
}

#[tokio::test]
async fn a_commit_that_the_head_left_is_looked_for_before_it_counts_as_passed() {
    let fixture = GitFixture::new().expect("a fixture");
    let first = fixture.commit_file("app.yml", "v: 1").expect("a commit");
    let served = Served::git(&fixture.uri()).await;
    assert_eq!(served.version(None).await, first);
    let second = fixture.commit_file("app.yml", "v: 2").expect("a commit");
    served.refresh().await;
    fixture.reset(&first).expect("a reset");
    served.refresh().await;
    let version = async |commit: &str| served.at_least(commit).await.expect("a view").version;
    assert_eq!(version(&second).await.as_ref(), Some(&first), "the head went back");
    // Forward again; another server sees it, and its event names the second commit.
    fixture.reset(&second).expect("a reset");
    assert_eq!(version(&second).await.as_ref(), Some(&second));
}

#[tokio::test]
async fn a_moved_tag_is_followed() {
    let fixture = GitFixture::new().expect("a fixture");
    let first = fixture.commit_file("app.yml", "v: 1").expect("a commit");
    fixture.annotated_tag("release").expect("a tag");
    let served = Served::git(&fixture.uri()).await;
    assert_eq!(served.version(Some("release")).await, first);
    let second = fixture.commit_file("app.yml", "v: 2").expect("a commit");
    fixture.annotated_tag("release").expect("a tag");
    served.refresh().await;
    assert_eq!(served.version(Some("release")).await, second);
}

#[tokio::test]
async fn a_deleted_branch_is_served_on_unless_the_operator_wants_it_gone() {
    let fixture = GitFixture::new().expect("a fixture");
    fixture.commit_file("app.yml", "v: 1").expect("a commit");
    fixture.branch("feature").expect("a branch");
    let commit = fixture.commit_file("app.yml", "v: 2").expect("a commit");
    let keeps = Served::git(&fixture.uri()).await;
    let deletes = Served::with(&fixture.uri(), |settings| settings.delete_untracked_branches = true).await;
    for served in [&keeps, &deletes] {
        assert_eq!(served.version(Some("feature")).await, commit);
    }
    fixture.checkout("main").expect("main");
    fixture.delete_branch("feature").expect("a deletion");
    // A branch below the deleted one's name: the old reference must not stand in its way.
    fixture.branch("feature/next").expect("a branch");
    let next = fixture.commit_file("app.yml", "v: 3").expect("a commit");
    for served in [&keeps, &deletes] {
        served.refresh().await;
        assert_eq!(served.version(Some("feature/next")).await, next);
    }
    assert_eq!(keeps.version(Some("feature")).await, commit);
    assert!(matches!(
        deletes.view(Some("feature")).await,
        Err(ViewError::UnknownLabel(_))
    ));

    let (basedir, log) = keeps.close().await;
    let again = Served::open(
        Backend::Git(manual(&fixture.uri(), basedir.path())),
        basedir.clone(),
        log,
    )
    .await;
    assert_eq!(again.version(Some("feature")).await, commit, "kept over a restart");
}

#[tokio::test]
async fn what_happened_while_the_server_was_down_is_written_down_at_the_next_start() {
    let fixture = GitFixture::new().expect("a fixture");
    let first = fixture.commit_file("app.yml", "v: 1").expect("a commit");
    let served = Served::git(&fixture.uri()).await;
    assert_eq!(served.version(None).await, first);
    let (basedir, log) = served.close().await;
    let second = fixture.commit_file("app.yml", "v: 2").expect("a commit");
    let settings = Backend::Git(manual(&fixture.uri(), basedir.path()));
    let served = Served::open(settings, basedir.clone(), log.clone()).await;
    assert_eq!(
        served.version(None).await,
        first,
        "the mirror on disk is served at once"
    );
    served.refresh().await;
    assert_eq!(served.version(None).await, second);
    assert_eq!(moves(&log), [(None, first.clone()), (Some(first), second)]);
}

#[tokio::test]
async fn a_crash_between_swap_and_record_is_made_good() {
    let fixture = GitFixture::new().expect("a fixture");
    let first = fixture.commit_file("app.yml", "v: 1").expect("a commit");
    let served = Served::git(&fixture.uri()).await;
    assert_eq!(served.version(None).await, first);
    let second = fixture.commit_file("app.yml", "v: 2").expect("a commit");
    served.log.refuse(true);
    let heads = served.refresh().await;
    assert_eq!((heads[0].commit.as_str(), &heads[0].moved), (second.as_str(), &None));
    assert_eq!(
        served.version(None).await,
        second,
        "served although it cannot be written down"
    );
    let (basedir, log) = served.close().await;
    log.refuse(false);
    let settings = Backend::Git(manual(&fixture.uri(), basedir.path()));
    let served = Served::open(settings, basedir.clone(), log.clone()).await;
    assert_eq!(served.version(None).await, second);
    assert_eq!(moves(&log), [(None, first.clone()), (Some(first), second)]);
}

#[tokio::test]
async fn a_move_that_could_not_be_written_down_is_tried_again_at_the_next_look() {
    let fixture = GitFixture::new().expect("a fixture");
    let first = fixture.commit_file("app.yml", "v: 1").expect("a commit");
    let served = Served::git(&fixture.uri()).await;
    served.version(None).await;
    served.log.refuse(true);
    fixture.commit_file("app.yml", "v: 2").expect("a commit");
    served.refresh().await;
    let third = fixture.commit_file("app.yml", "v: 3").expect("a commit");
    served.refresh().await;
    served.log.refuse(false);
    let heads = served.refresh().await;
    assert!(heads[0].moved.is_some());
    assert_eq!(moves(&served.log), [(None, first.clone()), (Some(first), third)]);
}

#[tokio::test]
async fn looks_are_shared_by_all_who_ask_at_once() {
    let fixture = GitFixture::new().expect("a fixture");
    fixture.commit_file("app.yml", "v: 1").expect("a commit");
    let server = test_support::git::GitHttp::start(&fixture).await.expect("a server");
    let served = Served::git(&server.uri()).await;
    served.version(None).await;
    served.refresh().await;
    let before = server.requests();
    let asked: Vec<_> = (0..50).map(|_| served.refresh()).collect();
    futures_util::future::join_all(asked).await;
    let looks = server.requests() - before;
    assert!((1..=2).contains(&looks), "{looks} looks for 50 callers");
}

#[tokio::test]
async fn strict_freshness_sees_every_push_and_serves_on_when_the_remote_is_gone() {
    let fixture = GitFixture::new().expect("a fixture");
    fixture.commit_file("app.yml", "v: 1").expect("a commit");
    let served = Served::with(&fixture.uri(), |settings| settings.freshness = Freshness::Strict).await;
    for number in 2..5 {
        let commit = fixture
            .commit_file("app.yml", format!("v: {number}"))
            .expect("a commit");
        assert_eq!(served.version(None).await, commit);
    }
    assert!(served.view(Some("later")).await.is_err());
    fixture.branch("later").expect("a branch");
    let commit = fixture.head().expect("a commit");
    assert_eq!(served.version(Some("later")).await, commit);

    fixture.hide().expect("hidden");
    let view = served.view(Some("later")).await.expect("the last good state");
    assert_eq!(view.version.as_deref(), Some(commit.as_str()));
    assert!(view.stale.is_some());
    assert!(matches!(
        served.view(Some("never")).await,
        Err(ViewError::UnknownLabel(_))
    ));
    fixture.unhide().expect("back");
    assert!(served.view(None).await.expect("a view").stale.is_none());
}

#[tokio::test]
async fn a_commit_that_changes_one_file_shares_all_others() {
    let fixture = GitFixture::new().expect("a fixture");
    for number in 0..20 {
        fixture
            .write_file(&format!("d{number}/app.yml"), format!("n: {number}"))
            .expect("a file");
    }
    fixture.commit("many").expect("a commit");
    let served = Served::git(&fixture.uri()).await;
    let before = served.view(None).await.expect("a view").layers[0].snapshot.clone();
    fixture.commit_file("d7/app.yml", "n: changed").expect("a commit");
    served.refresh().await;
    let view = served.view(None).await.expect("a view");
    let after = &view.layers[0].snapshot;
    assert_eq!(text(&view, "d7/app.yml").as_deref(), Some("n: changed"));
    let shared = (0..20).filter(|number| {
        let name = format!("d{number}");
        let of = |root: &Directory| match root.entries.get(name.as_str()) {
            Some(Node::Directory(directory)) => directory.clone(),
            other => panic!("{other:?}"),
        };
        Arc::ptr_eq(&of(&before.root), &of(&after.root))
    });
    assert_eq!(shared.count(), 19);
}

#[tokio::test]
async fn what_was_before_stands_in_for_what_is_broken() {
    let fixture = GitFixture::new().expect("a fixture");
    fixture.write_file("other.yml", "o: 1").expect("a file");
    let whole = fixture.commit_file("app.yml", "v: 1").expect("a commit");
    let served = Served::git(&fixture.uri()).await;
    assert!(served.view(None).await.expect("a view").layers[0].earlier.is_empty());
    let broken = fixture.commit_file("app.yml", "v: [1").expect("a commit");
    served.refresh().await;
    let view = served.view(None).await.expect("a view");
    assert_eq!(earlier(&view), [whole.as_str()]);
    assert_eq!(view.layers[0].soundest.commit.as_str(), whole);
    assert_eq!(served.store.heads()[0].broken, [Arc::from("app.yml")]);
    // Another commit that leaves it broken.
    let still_broken = fixture.commit_file("other.yml", "o: 2").expect("a commit");
    served.refresh().await;
    let view = served.view(None).await.expect("a view");
    assert_eq!(earlier(&view), [broken.as_str(), whole.as_str()]);
    // After a restart the history is walked back to it.
    let (basedir, log) = served.close().await;
    let settings = Backend::Git(manual(&fixture.uri(), basedir.path()));
    let served = Served::open(settings, basedir.clone(), log).await;
    let view = served.view(None).await.expect("a view");
    assert_eq!(view.version.as_deref(), Some(still_broken.as_str()));
    assert_eq!(earlier(&view), [broken.as_str(), whole.as_str()]);
    // Mended.
    let mended = fixture.commit_file("app.yml", "v: 2").expect("a commit");
    served.refresh().await;
    let view = served.view(None).await.expect("a view");
    assert_eq!(view.layers[0].soundest.commit.as_str(), mended);
}

fn earlier(view: &View) -> Vec<&str> {
    let states = view.layers[0].earlier.iter();
    states.map(|state| state.snapshot.commit.as_str()).collect()
}

#[tokio::test]
async fn a_commit_of_one_file_parses_one_file() {
    let fixture = GitFixture::new().expect("a fixture");
    let names: Vec<String> = (0..20).map(|number| format!("app{number}.yml")).collect();
    for name in &names {
        fixture.write_file(name, format!("n: {name}")).expect("a file");
    }
    fixture.commit("many").expect("a commit");
    let served = Served::git(&fixture.uri()).await;
    let before = served.view(None).await.expect("a view").layers[0].snapshot.clone();
    fixture.commit_file("app7.yml", "n: changed").expect("a commit");
    served.refresh().await;
    let after = served.view(None).await.expect("a view").layers[0].snapshot.clone();
    // What was parsed is kept with the content: the same file was not read again.
    let prepared = |root: &Directory, name: &str| match root.entries.get(name) {
        Some(Node::File(blob)) => blob.prepared(Format::Yaml, &Limits::default()).expect("YAML"),
        other => panic!("{other:?}"),
    };
    let parsed_again = names
        .iter()
        .filter(|name| !Arc::ptr_eq(&prepared(&before.root, name), &prepared(&after.root, name)));
    assert_eq!(parsed_again.collect::<Vec<_>>(), ["app7.yml"]);
}
