//! What labels mean.

use config_server::store::ViewError;
use contract::CommitId;
use test_support::GitFixture;

use super::Served;

#[tokio::test]
async fn branches_tags_and_commits_are_labels() {
    let fixture = GitFixture::new().expect("a fixture");
    let first = fixture.commit_file("app.yml", "v: 1").expect("a commit");
    fixture.tag("light").expect("a tag");
    fixture.annotated_tag("annotated").expect("a tag");
    fixture.tag("both").expect("a tag");
    fixture.branch("feature/x").expect("a branch");
    let second = fixture.commit_file("app.yml", "v: 2").expect("a commit");
    fixture.branch("both").expect("a branch");
    let third = fixture.commit_file("app.yml", "v: 3").expect("a commit");
    fixture.checkout("main").expect("main");

    let served = Served::git(&fixture.uri()).await;
    for (label, commit) in [
        ("main", &first),
        ("light", &first),
        ("annotated", &first),
        ("feature/x", &second),
        ("both", &third),
        ("refs/tags/both", &first),
        ("refs/heads/main", &first),
        ("origin/feature/x", &second),
        (second.as_str(), &second),
        (&third[..7], &third),
    ] {
        assert_eq!(served.version(Some(label)).await, *commit, "{label}");
    }
    assert_eq!(served.version(None).await, first);
}

#[tokio::test]
async fn what_is_no_label_is_unknown() {
    let fixture = GitFixture::new().expect("a fixture");
    let commit = fixture.commit_file("app.yml", "v: 1").expect("a commit");
    let served = Served::git(&fixture.uri()).await;
    let short = &commit[..6];
    let zeros = "0".repeat(40);
    for label in [
        "nope",
        "HEAD",
        "HEAD~1",
        "main~0",
        "main^",
        "main@{0}",
        ":/v",
        short,
        &zeros,
        ",",
        "main,nope",
    ] {
        let outcome = served.view(Some(label)).await;
        assert!(
            matches!(outcome, Err(ViewError::UnknownLabel(_))),
            "{label}: {outcome:?}"
        );
    }
}

#[tokio::test]
async fn the_last_of_several_labels_ranks_highest() {
    let fixture = GitFixture::new().expect("a fixture");
    let main = fixture.commit_file("app.yml", "v: 1").expect("a commit");
    fixture.branch("dev").expect("a branch");
    let dev = fixture.commit_file("app.yml", "v: 2").expect("a commit");
    let served = Served::git(&fixture.uri()).await;
    let view = served.view(Some("main,,dev")).await.expect("a view");
    assert_eq!(view.version, Some(format!("{main},{dev}")));
    let ranked: Vec<&str> = view.layers.iter().map(|layer| layer.snapshot.commit.as_str()).collect();
    assert_eq!(ranked, [dev.as_str(), main.as_str()]);
    assert!(view.moved.is_none() && view.label.is_none());
}

#[tokio::test]
async fn unknown_ones_among_several_labels_may_be_left_out() {
    let fixture = GitFixture::new().expect("a fixture");
    let main = fixture.commit_file("app.yml", "v: 1").expect("a commit");
    let served = Served::with(&fixture.uri(), |settings| {
        settings.continue_on_multiple_label_failure = true
    })
    .await;
    assert_eq!(served.version(Some("main,nope")).await, main);
    let none = served.view(Some("nope,nope2")).await.expect("a view");
    assert_eq!((none.version.as_deref(), none.layers.len()), (Some(""), 0));
    assert!(
        served.view(Some("nope")).await.is_err(),
        "one label alone has to be there"
    );
}

#[tokio::test]
async fn master_stands_in_for_main_and_for_nothing_else() {
    let fixture = GitFixture::new().expect("a fixture");
    fixture.git(["checkout", "-q", "-b", "master"]).expect("a branch");
    let commit = fixture.commit_file("app.yml", "v: 1").expect("a commit");
    let served = Served::git(&fixture.uri()).await;
    let view = served.view(None).await.expect("a view");
    assert_eq!(view.version.as_deref(), Some(commit.as_str()));
    assert_eq!(view.label.map(String::from).as_deref(), Some("master"));
    assert_eq!(served.version(Some("main")).await, commit);

    let strict = Served::with(&fixture.uri(), |settings| settings.try_master_branch = false).await;
    assert!(strict.view(None).await.is_err());
    let other = Served::with(&fixture.uri(), |settings| settings.default_label = "trunk".to_owned()).await;
    assert!(other.view(None).await.is_err());
    assert!(other.view(Some("main")).await.is_err());
}

#[tokio::test]
async fn a_label_that_was_missing_is_found_after_the_next_look() {
    let fixture = GitFixture::new().expect("a fixture");
    fixture.commit_file("app.yml", "v: 1").expect("a commit");
    let served = Served::git(&fixture.uri()).await;
    assert!(served.view(Some("new")).await.is_err());
    fixture.branch("new").expect("a branch");
    let commit = fixture.commit_file("app.yml", "v: 2").expect("a commit");
    served.refresh().await;
    assert_eq!(served.version(Some("new")).await, commit);
}

#[tokio::test]
async fn at_least_is_satisfied_by_the_head_its_past_and_by_looking() {
    let fixture = GitFixture::new().expect("a fixture");
    let first = fixture.commit_file("app.yml", "v: 1").expect("a commit");
    let second = fixture.commit_file("app.yml", "v: 2").expect("a commit");
    let served = Served::git(&fixture.uri()).await;
    for commit in [&first, &second] {
        let view = served.at_least(commit).await.expect("a view");
        assert_eq!(view.version.as_deref(), Some(second.as_str()));
    }
    // Pushed since: the server fetches before it answers.
    let third = fixture.commit_file("app.yml", "v: 3").expect("a commit");
    let view = served.at_least(&third).await.expect("a view");
    assert_eq!(view.version.as_deref(), Some(third.as_str()));
    // Visited, though no longer an ancestor.
    fixture.reset(&first).expect("a reset");
    served.refresh().await;
    let view = served.at_least(&third).await.expect("a view");
    assert_eq!(view.version.as_deref(), Some(first.as_str()));
    // Nowhere.
    let nowhere = "ab".repeat(20);
    let outcome = served.at_least(&nowhere).await;
    let wanted: CommitId = nowhere.parse().expect("a commit");
    assert!(matches!(outcome, Err(ViewError::Behind { wanted: w, .. }) if w == Some(wanted)));
}
