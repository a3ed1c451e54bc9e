//! What every test needs: a broker, members on it, and a stranger who speaks plain AMQP.

use std::fmt::Debug;
use std::time::Duration;

use bus::amqp::{self, AmqpSettings, Serving};
pub(crate) use bus::testing::{SPRING, Stranger};
use bus::{Credentials, Inbound, Link, LinkState, Patience, Secret, Signal, Subscriber};
use contract::{BusEvent, BusId, Destination, EventId, Message, Outcome, Report};
use futures_util::StreamExt;
use lapin::Consumer;
use lapin::message::Delivery;
use test_support::Broker;
use tokio::sync::{Mutex, MutexGuard, OnceCell, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) const DEADLINE: Duration = Duration::from_secs(30);
/// Long enough for a message that should not come to have come.
pub(crate) const QUIET: Duration = Duration::from_millis(300);
pub(crate) const SERVER: &str = "config-server:8888:a1";

/// Owns the tasks of a test.
pub(crate) struct World {
    pub(crate) tracker: TaskTracker,
    pub(crate) stop: CancellationToken,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            tracker: TaskTracker::new(),
            stop: CancellationToken::new(),
        }
    }

    pub(crate) async fn server(&self, settings: &AmqpSettings) -> Serving {
        let mut serving = self.serve(settings);
        until(&mut serving.transport.state(), LinkState::is_connected).await;
        until(&mut serving.hearing, LinkState::is_connected).await;
        serving
    }

    pub(crate) fn serve(&self, settings: &AmqpSettings) -> Serving {
        amqp::serve(
            settings.clone(),
            SERVER.parse().expect("an id"),
            &self.tracker,
            &self.stop,
        )
    }

    pub(crate) async fn agent(&self, settings: &AmqpSettings, application: &str) -> Link {
        let mut link = self.follow(settings, application);
        connected(&mut link).await;
        link
    }

    pub(crate) fn follow(&self, settings: &AmqpSettings, application: &str) -> Link {
        amqp::follow(
            settings.clone(),
            subscriber(application),
            &self.tracker,
            self.stop.clone(),
        )
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Settings for `virtual_host`, hasty as tests are.
pub(crate) fn settings(broker: &Broker, virtual_host: &str) -> AmqpSettings {
    let credentials = Credentials {
        username: "guest".to_owned(),
        password: Secret::new("guest"),
    };
    let mut settings = AmqpSettings::new(
        vec![broker.address().to_string().parse().expect("an address")],
        credentials,
    );
    virtual_host.clone_into(&mut settings.virtual_host);
    settings.patience = hasty();
    settings.liveness = Duration::from_secs(2);
    settings
}

pub(crate) fn hasty() -> Patience {
    Patience {
        floor: Duration::from_millis(20),
        ceiling: Duration::from_millis(200),
        healthy_after: Duration::from_secs(60),
        misconfigured: Duration::from_millis(200),
    }
}

/// A fresh virtual host on the node all tests share.
pub(crate) async fn shared() -> (&'static Broker, AmqpSettings) {
    let broker = Broker::shared().await;
    let settings = settings(broker, &broker.virtual_host().await);
    (broker, settings)
}

/// The node that tests may break, one at a time.
pub(crate) async fn fragile() -> MutexGuard<'static, Broker> {
    static FRAGILE: OnceCell<Mutex<Broker>> = OnceCell::const_new();
    FRAGILE
        .get_or_init(async || Mutex::new(Broker::launch().await))
        .await
        .lock()
        .await
}

pub(crate) fn subscriber(application: &str) -> Subscriber {
    Subscriber {
        bus_id: format!("{application}:dev,eu:8080:u1").parse().expect("an id"),
        applications: vec![application.parse().expect("a name")],
        profiles: vec!["dev".parse().expect("a profile"), "eu".parse().expect("a profile")],
        label: None,
    }
}

pub(crate) fn refresh(id: &str, destination: &str) -> Message {
    let origin: BusId = SERVER.parse().expect("an id");
    Message {
        event: BusEvent::refresh(
            EventId::received(id),
            1_795_374_753_109,
            &origin,
            Destination::received(destination),
        ),
        notice: None,
    }
}

pub(crate) fn report(application: &str) -> Report {
    Report {
        bus_id: format!("{application}:dev,eu:8080:u1").parse().expect("an id"),
        application: application.parse().expect("a name"),
        profiles: Vec::new(),
        label: None,
        events: vec![EventId::received("e1")],
        commit: None,
        digest: None,
        outcome: Outcome::Applied,
        reason: None,
        millis: 7,
        asked_ago: None,
    }
}

/// Waits for a state.
pub(crate) async fn until(state: &mut watch::Receiver<LinkState>, wanted: impl Fn(&LinkState) -> bool) -> LinkState {
    let mut last = None;
    let waited = timeout(
        DEADLINE,
        state.wait_for(|now| {
            last = Some(now.clone());
            wanted(now)
        }),
    );
    let reached = waited.await.map(|state| state.expect("its task lives").clone());
    reached.unwrap_or_else(|_| panic!("still {last:?}"))
}

/// The next signal.
pub(crate) async fn signal(link: &mut Link) -> Signal {
    let heard = timeout(DEADLINE, link.signals.recv()).await;
    heard.expect("a signal in time").expect("the link lives")
}

/// Passes over signals until the link is connected (again).
pub(crate) async fn connected(link: &mut Link) {
    while !matches!(signal(link).await, Signal::Connected) {}
}

pub(crate) async fn lost(link: &mut Link) -> String {
    loop {
        if let Signal::Lost(reason) = signal(link).await {
            return reason;
        }
    }
}

/// The next signal, which must be an event: its id.
pub(crate) async fn received(link: &mut Link) -> String {
    match signal(link).await {
        Signal::Received(message) => message.event.id.to_string(),
        other => panic!("no event: {other:?}"),
    }
}

pub(crate) async fn inbound(serving: &mut Serving) -> Inbound {
    let heard = timeout(DEADLINE, serving.inbound.recv()).await;
    heard.expect("something in time").expect("the server lives")
}

pub(crate) async fn delivery(consumer: &mut Consumer) -> Delivery {
    let delivered = timeout(DEADLINE, consumer.next()).await;
    delivered
        .expect("a delivery in time")
        .expect("the queue lives")
        .expect("the channel lives")
}

/// Nothing (more) comes.
pub(crate) async fn quiet<T: Debug>(next: impl Future<Output = T>) {
    if let Ok(came) = timeout(QUIET, next).await {
        panic!("came: {came:?}");
    }
}
