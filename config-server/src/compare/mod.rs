//! `config-server compare --with <url>`: asks another config server and this one for everything the
//! repository holds, and shows what differs. The proof before a migration.
//!
//! - `inventory`: which applications, profiles and files there are (pure)
//! - [`asks`]: the requests to make of it (pure)
//! - [`verdict`]: whether two answers are the same (pure); [`report`]: all of them together

mod asks;
mod inventory;
mod report;
mod verdict;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::routing::any;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, Request, header};
use thiserror::Error;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use url::Url;

pub use report::Report;

use self::asks::Ask;
use self::inventory::Inventory;
use self::verdict::{Answered, Verdict, judge};
use crate::api::configuration::{Configuration, answer};
use crate::app::configuration;
use crate::engine::query::{Query, Rules};
use crate::settings::Settings;
use crate::settings::encrypt::KeysError;
use crate::settings::load::Disk;
use crate::store::head_log::memory::MemoryHeadLog;
use crate::store::{Cause, OpenError, Store};
use crate::tasks::Tasks;

/// Requests on their way to the other server at one time.
const AT_ONCE: usize = 4;
/// For one answer of the other server, which may have to fetch first.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why two servers cannot be compared.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CompareError {
    #[error("`{0}` is not the URL of a server")]
    Url(String),
    #[error(transparent)]
    Store(#[from] OpenError),
    #[error("the keys of `encrypt.*` cannot be used")]
    Keys(#[from] KeysError),
    #[error("the repository cannot be read: {0}")]
    Repository(String),
    #[error("the other server does not answer")]
    Unreachable(#[source] reqwest::Error),
    #[error("this server does not answer itself")]
    Ours(#[source] axum::Error),
}

/// Both servers.
struct Pair {
    rules: Rules,
    ours: Router,
    theirs: reqwest::Client,
    /// Ends in `/`.
    base: Url,
}

/// Compares the server of `settings` with the one at `with`. `say` hears how it goes on.
///
/// # Errors
/// [`CompareError`] when one of them cannot be asked. Differences are no error: they are reported.
pub async fn run(settings: &Settings, with: &str, say: &mut dyn FnMut(&str)) -> Result<Report, CompareError> {
    let (tasks, stop) = (Tasks::default(), CancellationToken::new());
    let _stopped_at_the_end = stop.clone().drop_guard();
    let log = Arc::new(MemoryHeadLog::default());
    let store = Store::open(&settings.backend, log, &tasks, stop).await?;
    let failures = store.refresh(Cause::Start).await.failures;
    if let Some(failure) = failures.first() {
        return Err(CompareError::Repository(failure.message.clone()));
    }
    let pair = Pair::new(settings, Arc::clone(&store), with)?;
    let mut report = Report::default();
    for label in labels(&store) {
        let inventory = inventory(&store, label.as_deref(), &pair.rules).await;
        let asks = asks::of(&inventory, label.as_deref());
        let before = report.clone();
        pair.compare(asks, &mut report).await?;
        say(&report.since(&before, label.as_deref(), &inventory));
    }
    Ok(report)
}

/// No label at all, then each there is.
fn labels(store: &Store) -> Vec<Option<String>> {
    std::iter::once(None)
        .chain(store.labels().into_iter().map(Some))
        .collect()
}

async fn inventory(store: &Store, label: Option<&str>, rules: &Rules) -> Inventory {
    let mut inventory = Inventory::default();
    let query = Query::new("application", "default", label, rules);
    let view = match query {
        Ok(query) => store.view(&query, &[]).await.ok(),
        Err(_) => None,
    };
    for layer in view.iter().flat_map(|view| &view.layers) {
        inventory.add(&layer.snapshot.root);
    }
    if label.is_none() {
        // The repositories of patterns, too.
        store
            .snapshots()
            .iter()
            .for_each(|snapshot| inventory.add(&snapshot.root));
    }
    inventory
}

impl Pair {
    fn new(settings: &Settings, store: Arc<Store>, with: &str) -> Result<Self, CompareError> {
        let base = format!("{}/", with.trim_end_matches('/'));
        let base: Url = base.parse().map_err(|_| CompareError::Url(with.to_owned()))?;
        let keys = Arc::new(settings.encrypt.keys(&Disk)?);
        let configuration = Configuration {
            // The other server's is in its URL.
            prefix: "".into(),
            ..configuration(settings, store, keys)
        };
        let rules = configuration.rules;
        let theirs = reqwest::Client::builder().timeout(PATIENCE).build();
        Ok(Self {
            rules,
            ours: Router::new().fallback_service(any(answer).with_state(configuration)),
            theirs: theirs.map_err(CompareError::Unreachable)?,
            base,
        })
    }

    async fn compare(&self, asks: Vec<Ask>, report: &mut Report) -> Result<(), CompareError> {
        let judged = |ask: Ask| async move {
            let verdict = self.judge(&ask).await;
            (ask, verdict)
        };
        let mut verdicts = stream::iter(asks).map(judged).buffered(AT_ONCE);
        while let Some((ask, verdict)) = verdicts.next().await {
            report.add(&ask, verdict?);
        }
        Ok(())
    }

    async fn judge(&self, ask: &Ask) -> Result<Verdict, CompareError> {
        let (ours, theirs) = (self.ask_ours(ask).await?, self.ask_theirs(ask).await?);
        Ok(judge(ask, &ours, &theirs))
    }

    async fn ask_ours(&self, ask: &Ask) -> Result<Answered, CompareError> {
        let request = Request::get(format!("/{}", ask.path)).header(header::ACCEPT, ask.accept);
        let request = request.body(Body::empty()).expect("a path of escaped segments");
        let answered = self.ours.clone().oneshot(request).await;
        let (head, body) = answered.unwrap_or_else(|never| match never {}).into_parts();
        let body = to_bytes(body, usize::MAX).await.map_err(CompareError::Ours)?;
        Ok(Answered {
            status: head.status,
            content_type: content_type(&head.headers),
            body,
        })
    }

    async fn ask_theirs(&self, ask: &Ask) -> Result<Answered, CompareError> {
        let url = format!("{}{}", self.base, ask.path);
        let asked = self.theirs.get(url).header(header::ACCEPT, ask.accept);
        let answered = asked.send().await.map_err(CompareError::Unreachable)?;
        Ok(Answered {
            status: answered.status(),
            content_type: content_type(answered.headers()),
            body: answered.bytes().await.map_err(CompareError::Unreachable)?,
        })
    }
}

/// Lower-case, without blanks.
fn content_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_ascii_lowercase().replace(' ', "")
}
