//! Servers with mirrors and logs of their own, one of which is behind what a client has seen at
//! the other.

use std::sync::Arc;

use config_server::change::Change;
use config_server::engine::query::Query;
use config_server::settings::Settings;
use config_server::store::{Cause, Store, ViewError};
use config_server::tasks::Tasks;
use contract::{AtLeast, CommitId};
use test_support::GitFixture;
use test_support::git::GitDaemon;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::harness::DEADLINE;

/// One repository, and two servers that look only when asked to.
struct Pair {
    git: GitFixture,
    /// `None` while the remote cannot be reached.
    remote: Option<GitDaemon>,
    ahead: Arc<Store>,
    behind: Arc<Store>,
    _stop: tokio_util::sync::DropGuard,
}

impl Pair {
    /// Both stand at the first commit, which comes with the pair.
    async fn new() -> (Self, String) {
        let git = GitFixture::new().expect("a repository");
        let first = git.commit_file("orders.yml", "a: 1\n").expect("a commit");
        let remote = GitDaemon::start(&git).expect("a git daemon");
        let (tasks, stop) = (Tasks::default(), CancellationToken::new());
        let pair = Self {
            ahead: server(&remote.uri(), &tasks, &stop).await,
            behind: server(&remote.uri(), &tasks, &stop).await,
            git,
            remote: Some(remote),
            _stop: stop.drop_guard(),
        };
        (pair, first)
    }

    /// What a client has that asked the server ahead, after that looked.
    async fn seen(&self) -> AtLeast {
        look(&self.ahead).await;
        let view = ask(&self.ahead, &[]).await.expect("a view");
        AtLeast {
            moved: Some(view.1),
            ..view.0.into()
        }
    }

    async fn asked(&self, bounds: &[AtLeast]) -> Result<String, ViewError> {
        ask(&self.behind, bounds).await.map(|(commit, _)| commit.to_string())
    }
}

async fn server(uri: &str, tasks: &Tasks, stop: &CancellationToken) -> Arc<Store> {
    let settings = Settings::for_testing(uri);
    let change = Change::open(settings.change).await.expect("a journal");
    let store = Store::open(&settings.backend, change, tasks, stop.clone()).await;
    let store = store.expect("a store");
    look(&store).await;
    store
}

async fn look(store: &Store) {
    let looked = timeout(DEADLINE, store.refresh(Cause::Tick)).await;
    assert_eq!(looked.expect("in time").failures, []);
}

async fn ask(store: &Store, bounds: &[AtLeast]) -> Result<(CommitId, contract::MoveId), ViewError> {
    let query = Query {
        name: "orders".to_owned(),
        applications: vec!["orders".to_owned()],
        profiles_text: "default".to_owned(),
        profiles: vec!["default".to_owned()],
        label: None,
    };
    let view = timeout(DEADLINE, store.view(&query, bounds)).await.expect("in time")?;
    let commit = view.version.expect("a version").parse().expect("a commit");
    Ok((commit, view.moved.expect("a head move")))
}

#[tokio::test]
async fn a_server_that_slept_through_a_rollback_does_not_serve_what_was_rolled_back() {
    let (pair, first) = Pair::new().await;
    pair.git.commit_file("orders.yml", "a: 2\n").expect("a commit");
    pair.seen().await;
    look(&pair.behind).await;
    pair.git.reset(&first).expect("a rollback");
    let seen = pair.seen().await;

    assert_eq!(seen.commit, first.parse().ok());
    assert_eq!(pair.asked(&[seen]).await, Ok(first));
}

#[tokio::test]
async fn a_server_that_cannot_tell_and_cannot_look_says_so() {
    let (mut pair, first) = Pair::new().await;
    pair.git.commit_file("orders.yml", "a: 2\n").expect("a commit");
    look(&pair.behind).await;
    pair.seen().await;
    pair.git.reset(&first).expect("a rollback");
    let seen = pair.seen().await;
    pair.remote = None;

    let refused = pair.asked(std::slice::from_ref(&seen)).await;
    assert!(
        matches!(&refused, Err(ViewError::Behind { wanted, .. }) if *wanted == seen.commit),
        "{refused:?}"
    );
    // A client that asks for no more than the commit has it.
    let contained = AtLeast { moved: None, ..seen };
    assert!(pair.asked(&[contained]).await.is_ok());
}

#[tokio::test]
async fn a_server_that_slept_through_a_force_push_fetches_it() {
    let (pair, first) = Pair::new().await;
    pair.git.commit_file("orders.yml", "a: 2\n").expect("a commit");
    look(&pair.behind).await;
    pair.git.reset(&first).expect("a rollback");
    let other = pair.git.commit_file("orders.yml", "a: 3\n").expect("a commit");
    let seen = pair.seen().await;
    assert_eq!(pair.asked(&[seen]).await, Ok(other));
}

#[tokio::test]
async fn a_server_that_slept_through_one_of_two_moves_is_past_it_if_it_looked_since() {
    let (mut pair, _) = Pair::new().await;
    pair.git.commit_file("orders.yml", "a: 2\n").expect("a commit");
    let seen = pair.seen().await;
    let known = Instant::now();
    let last = pair.git.commit_file("orders.yml", "a: 3\n").expect("a commit");
    look(&pair.behind).await;
    pair.remote = None;

    let since = AtLeast {
        age: Some(known.elapsed()),
        ..seen.clone()
    };
    assert_eq!(pair.asked(&[since]).await, Ok(last));
    let refused = pair.asked(&[seen]).await;
    assert!(matches!(refused, Err(ViewError::Behind { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_commit_that_was_pushed_over_while_a_server_slept_is_not_guessed_about() {
    let (pair, first) = Pair::new().await;
    pair.git.commit_file("orders.yml", "a: 2\n").expect("a commit");
    let seen = pair.seen().await;
    pair.git.reset(&first).expect("a rollback");
    let last = pair.git.commit_file("orders.yml", "a: 3\n").expect("a commit");
    let refused = pair.asked(std::slice::from_ref(&seen)).await;
    assert!(matches!(refused, Err(ViewError::Behind { .. })), "{refused:?}");
    // Who does not insist on it gets what is newer.
    let any = AtLeast { commit: None, ..seen };
    assert_eq!(pair.asked(&[any]).await, Ok(last));
}
