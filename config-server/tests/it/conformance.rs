//! The recorded answers of the stock server, asked of ours.
//!
//! Every suite is one server with the suite's settings, read by the real settings loader, over
//! repositories served by `git daemon`. What counts as equal is decided by [`judge`], which follows
//! the replay script that came with the data.

mod documented;
mod exchange;
mod judge;
mod repositories;
mod suite;
mod tree;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use config_server::app;
use config_server::settings::backend::{Backend, Freshness};
use config_server::settings::load::{Disk, Files, Sources};
use config_server::settings::{self, Settings};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use exchange::Answered;
use judge::{Places, Verdict};
use repositories::Repositories;
use suite::{Case, Suite};

use crate::recorded::data;

/// Servers at one time.
const PARALLEL: usize = 8;
/// Time for one answer; the slowest ones clone a repository first.
const ANSWER: Duration = Duration::from_secs(30);

/// A case that did not pass: where, and why.
type Failed = (String, String);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_recorded_answers_of_the_stock_server_are_given() {
    let data = data();
    let repositories = Arc::new(Repositories::serve().expect("git daemon serves the repositories"));
    let slots = Arc::new(Semaphore::new(PARALLEL));
    let mut suites = JoinSet::new();
    for suite in suite::load_all(&data.join("cases")).expect("the suites are readable") {
        let (repositories, slots, data) = (Arc::clone(&repositories), Arc::clone(&slots), data.clone());
        suites.spawn(async move {
            let _slot = slots.acquire_owned().await.expect("never closed");
            let cases = suite.cases.len();
            let failed = replay(&suite, &repositories, &data).await;
            let failed = failed.unwrap_or_else(|error| vec![("start".to_owned(), format!("{error:#}")); cases]);
            (suite.suite, cases, failed)
        });
    }
    report(suites.join_all().await);
}

/// The cases of `suite` that do not pass: as its settings have it, which is with strict freshness,
/// and once more with the usual one, where the second of two equal requests gets what is kept.
async fn replay(suite: &Suite, repositories: &Repositories, data: &Path) -> Result<Vec<Failed>> {
    let kept = tempfile::tempdir()?;
    let settings = load(suite, repositories, data, kept.path())?;
    let mut failed = ask_all(suite, repositories, data, settings.clone(), 1).await?;
    if suite.cases.iter().all(|case| case.before.is_empty()) {
        let mut usual = settings;
        make_usual(&mut usual.backend);
        failed.extend(ask_all(suite, repositories, data, usual, 2).await?);
    }
    failed.sort();
    failed.dedup_by(|one, other| one.0 == other.0);
    Ok(failed)
}

fn make_usual(backend: &mut Backend) {
    match backend {
        Backend::Git(git) => {
            let repos = git.repos.iter_mut().map(|repo| &mut repo.git.freshness);
            repos.for_each(|freshness| *freshness = Freshness::default());
            git.freshness = Freshness::default();
        }
        Backend::Native(_) => {}
        Backend::Composite { members, .. } => members.iter_mut().for_each(make_usual),
    }
}

async fn ask_all(
    suite: &Suite,
    repositories: &Repositories,
    data: &Path,
    settings: Settings,
    times: usize,
) -> Result<Vec<Failed>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let stop = CancellationToken::new();
    let server = TaskTracker::new().spawn(app::run(listener, settings, stop.clone()));
    let places = Places {
        repositories: repositories.url(),
        here: data.display().to_string(),
    };
    let mut failed = Vec::new();
    for case in &suite.cases {
        repositories.push(&case.before)?;
        for _ in 1..times {
            verdict(case, address, &places).await;
        }
        if let Verdict::Wrong(why) = verdict(case, address, &places).await {
            failed.push((format!("{} {}", case.id, case.request), why));
        }
    }
    stop.cancel();
    server.await?.context("the server failed")?;
    Ok(failed)
}

async fn verdict(case: &Case, address: std::net::SocketAddr, places: &Places) -> Verdict {
    let answered: Result<Answered> = match tokio::time::timeout(ANSWER, exchange::send(address, &case.request)).await {
        Ok(answered) => answered,
        Err(_) => Err(anyhow::anyhow!("no answer in time")),
    };
    match answered {
        Ok(answered) => judge::judge(case, &answered, places),
        Err(error) => Verdict::Wrong(format!("{error:#}")),
    }
}

fn load(suite: &Suite, repositories: &Repositories, data: &Path, kept: &Path) -> Result<Settings> {
    let argument = |(key, value): (&String, &String)| {
        let value = value.replace("{repos}", &repositories.url());
        format!("--{key}={}", value.replace("{here}", &data.display().to_string()))
    };
    let arguments: Vec<String> = suite.settings.iter().map(argument).collect();
    let settings = settings::load(&Sources {
        arguments: &arguments,
        environment: &BTreeMap::new(),
        files: &NoSettingsFiles,
    })
    .context("the settings are refused")?;
    Ok(settings.kept_in(kept))
}

fn report(mut suites: Vec<(String, usize, Vec<Failed>)>) {
    suites.sort();
    let mut table = String::new();
    let (mut cases, mut wrong) = (0, 0);
    for (suite, of, failed) in &suites {
        table.push_str(&format!("{suite:32} {:4}/{of}\n", of - failed.len()));
        for (case, why) in failed {
            table.push_str(&format!("    {case}\n        {why}\n"));
        }
        cases += of;
        wrong += failed.len();
    }
    let table = format!(
        "{table}{} of {cases} cases in {} suites pass\n",
        cases - wrong,
        suites.len()
    );
    assert!(wrong == 0, "\n{table}");
    assert_eq!(
        (cases, suites.len()),
        (suite::CASES, suite::SUITES),
        "what was replayed"
    );
    write_down(&table);
}

/// The count is part of what a run shows, so it goes past what the test runner captures.
fn write_down(table: &str) {
    let mut shown = std::io::stdout().lock();
    writeln!(shown, "{table}").expect("somebody reads");
}

/// A server whose settings are its arguments alone; key stores are read as ever.
#[derive(Debug)]
struct NoSettingsFiles;

impl Files for NoSettingsFiles {
    fn list(&self, _: &Path) -> Vec<String> {
        Vec::new()
    }

    fn read(&self, path: &Path) -> std::io::Result<Option<Vec<u8>>> {
        Disk.read(path)
    }
}
