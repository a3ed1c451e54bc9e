//! Two servers, each with its own mirror and journal, on one RabbitMQ.

use std::sync::Arc;

use bus::amqp::{self, Address, AmqpSettings};
use bus::embedded::{Hub, HubSettings};
use bus::{Credentials, Link, Secret, Signal, Subscriber};
use config_server::change::Change;
use config_server::change::inbound::Ears;
use config_server::doors::operator;
use config_server::settings::Settings;
use config_server::store::{Cause, Store};
use config_server::tasks::Tasks;
use contract::report::Outcome;
use contract::{CommitId, Destination, EventId, Message};
use test_support::git::GitDaemon;
use test_support::{Broker, GitFixture, eventually};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::harness::{DEADLINE, report};

/// One server, as far as head moves and events go.
struct Member {
    store: Arc<Store>,
    change: Arc<Change>,
}

struct Cluster {
    amqp: AmqpSettings,
    tasks: Tasks,
    stop: CancellationToken,
}

impl Cluster {
    async fn new() -> Self {
        let broker = Broker::shared().await;
        let address = Address {
            host: broker.address().ip().to_string(),
            port: broker.address().port(),
        };
        let guest = Credentials {
            username: "guest".to_owned(),
            password: Secret::new("guest"),
        };
        Self {
            amqp: AmqpSettings {
                virtual_host: broker.virtual_host().await,
                ..AmqpSettings::new(vec![address], guest)
            },
            tasks: Tasks::default(),
            stop: CancellationToken::new(),
        }
    }

    async fn server(&self, uri: &str) -> Member {
        let settings = Settings::for_testing(uri);
        let (tasks, stop) = (&self.tasks, &self.stop);
        let me = settings.change.bus_id.clone();
        let change = Change::open(settings.change).await.expect("a journal");
        let store = Store::open(&settings.backend, change.clone(), tasks, stop.clone()).await;
        let store = store.expect("a store");
        let mut serving = amqp::serve(self.amqp.clone(), me, tasks.tracker(), stop);
        let hearing = serving.hearing.wait_for(bus::LinkState::is_connected);
        timeout(DEADLINE, hearing).await.expect("in time").expect("a bus");
        let hub = Hub::new(HubSettings::default(), stop.clone());
        change.start(serving.transport, Some(hub.clone()), tasks, stop);
        Ears::start(change.clone(), store.clone(), hub, serving.inbound, tasks, stop);
        assert_eq!(store.refresh(Cause::Start).await.failures, []);
        Member { store, change }
    }

    fn agent(&self) -> Link {
        let subscriber = Subscriber {
            bus_id: "orders:8080:a".parse().expect("an id"),
            applications: vec!["orders".parse().expect("a name")],
            profiles: Vec::new(),
            label: None,
        };
        amqp::follow(self.amqp.clone(), subscriber, self.tasks.tracker(), self.stop.clone())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Member {
    fn head(&self) -> Option<CommitId> {
        self.store.heads().first().map(|head| head.commit.clone())
    }

    async fn applied(&self, id: &EventId) -> usize {
        let report = self.change.delivery().report(id).await.expect("a journal");
        report.map_or(0, |report| report.summary.applied)
    }
}

async fn heard(link: &mut Link) -> Message {
    let heard = async {
        loop {
            match link.signals.recv().await.expect("the link goes on") {
                Signal::Received(message) => return message,
                _ => continue,
            }
        }
    };
    timeout(DEADLINE, heard).await.expect("an event in time")
}

#[tokio::test]
async fn what_one_server_sees_the_other_serves_and_both_know_how_it_went() {
    let git = GitFixture::new().expect("a repository");
    git.commit_file("orders.yml", "a: 1\n").expect("a commit");
    let daemon = GitDaemon::start(&git).expect("a git daemon");
    let cluster = Cluster::new().await;
    let first = cluster.server(&daemon.uri()).await;
    let second = cluster.server(&daemon.uri()).await;
    let mut agent = cluster.agent();
    let connected = agent.state.wait_for(bus::LinkState::is_connected);
    timeout(DEADLINE, connected).await.expect("in time").expect("a link");

    let pushed: CommitId = git
        .commit_file("orders.yml", "a: 2\n")
        .expect("a commit")
        .parse()
        .expect("an id");
    let everyone = Destination::everyone();
    let refreshed = operator::refresh(&first.store, &first.change, everyone, Cause::Operator).await;
    let id = refreshed.expect("written down").event.id().clone();

    let event = heard(&mut agent).await;
    assert_eq!(event.event.id, id);
    assert_eq!(event.notice.map(|notice| notice.to), Some(pushed.clone()));
    eventually!(DEADLINE, second.head() == Some(pushed.clone()));
    // The second server saw the same move, and its event is the same one.
    assert_eq!(heard(&mut agent).await.event.id, id);

    let report = report("orders:8080:a", std::slice::from_ref(&id), &pushed, Outcome::Applied);
    agent.reports.report(&report).await.expect("handed over");
    eventually!(
        DEADLINE,
        first.applied(&id).await == 1 && second.applied(&id).await == 1
    );
}
