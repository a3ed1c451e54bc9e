//! What metrics and the status page tell of a broker: whether it is heard, what others say on it,
//! and what waits for it.

use std::sync::Arc;
use std::time::Duration;

use bus::amqp::{self, Address};
use bus::{Credentials, EventTransport, Secret, Subscriber};
use config_server::settings::bus::AmqpSettings;
use config_server::settings::{BusSettings, encrypt};
use contract::report::Outcome;
use contract::{BusEvent, BusId, Destination, EventId, EventKind, Message, Report, ServerStatus};
use reqwest::{Method, StatusCode};
use test_support::{Broker, eventually};
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::harness::{App, DEADLINE, answer};

const GUEST: &str = "guest";
const OTHER: &str = "stock:8080:b";

/// A server on `virtual_host` of `broker`.
async fn serve(broker: &Broker, virtual_host: &str) -> App {
    let address = broker.address();
    let amqp = AmqpSettings {
        addresses: vec![(address.ip().to_string(), address.port())],
        username: GUEST.to_owned(),
        password: encrypt::Secret::new(GUEST.to_owned()),
        virtual_host: virtual_host.to_owned(),
        tls: None,
        heartbeat: None,
        connection_timeout: Duration::from_secs(10),
        exchange: "config-bus".to_owned(),
        spring_exchange: Some("springCloudBus".to_owned()),
    };
    App::start_with(|settings| settings.bus = BusSettings::Amqp(amqp)).await
}

/// Another member of the bus, that may say anything.
struct Other {
    settings: amqp::AmqpSettings,
    transport: Arc<dyn EventTransport>,
    tracker: TaskTracker,
    stop: CancellationToken,
    _end: DropGuard,
}

impl Other {
    async fn join(broker: &Broker, virtual_host: &str) -> Self {
        let address = Address {
            host: broker.address().ip().to_string(),
            port: broker.address().port(),
        };
        let guest = Credentials {
            username: GUEST.to_owned(),
            password: Secret::new(GUEST),
        };
        let mut settings = amqp::AmqpSettings::new(vec![address], guest);
        virtual_host.clone_into(&mut settings.virtual_host);
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        let me = OTHER.parse().expect("an id");
        let transport = amqp::serve(settings.clone(), me, &tracker, &stop).transport;
        let mut state = transport.state();
        let connected = state.wait_for(bus::LinkState::is_connected);
        timeout(DEADLINE, connected).await.expect("in time").expect("a bus");
        let _end = stop.clone().drop_guard();
        Self {
            settings,
            transport,
            tracker,
            stop,
            _end,
        }
    }

    async fn says(&self, origin: &str, kind: EventKind) {
        let sender: BusId = OTHER.parse().expect("an id");
        let event = BusEvent {
            origin: origin.to_owned(),
            kind,
            ..BusEvent::refresh(EventId::random(), 0, &sender, Destination::everyone())
        };
        let message = Message { event, notice: None };
        self.transport.publish(&message).await.expect("taken");
    }

    async fn reports(&self) {
        let subscriber = Subscriber {
            bus_id: OTHER.parse().expect("an id"),
            applications: Vec::new(),
            profiles: Vec::new(),
            label: None,
        };
        let mut link = amqp::follow(self.settings.clone(), subscriber, &self.tracker, self.stop.clone());
        let connected = link.state.wait_for(bus::LinkState::is_connected);
        timeout(DEADLINE, connected).await.expect("in time").expect("a link");
        let report = Report {
            bus_id: OTHER.parse().expect("an id"),
            application: "stock".parse().expect("a name"),
            profiles: Vec::new(),
            label: None,
            events: Vec::new(),
            commit: None,
            digest: None,
            outcome: Outcome::Applied,
            reason: None,
            millis: 1,
            asked_ago: None,
        };
        link.reports.report(&report).await.expect("handed over");
    }
}

/// The value of the series `name`, labels and all.
async fn metric(app: &App, name: &str) -> Option<f64> {
    let metrics = app.get("/actuator/prometheus").await.body;
    let value = |line: &str| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok();
    metrics.lines().find_map(value)
}

async fn hears(app: &App, wanted: bool) {
    eventually("the broker is heard, or not", DEADLINE, async || {
        (metric(app, "bus_hearing").await? == f64::from(wanted)).then_some(())
    })
    .await;
}

/// Messages taken, its own, unknown and malformed.
async fn messages(app: &App) -> [f64; 4] {
    let mut counts = [f64::NAN; 4];
    for (count, concern) in counts.iter_mut().zip(["taken", "own", "unknown", "malformed"]) {
        let series = format!("bus_messages_total{{concern=\"{concern}\"}}");
        *count = metric(app, &series).await.expect("a counter");
    }
    counts
}

#[tokio::test]
async fn messages_on_the_broker_are_counted_by_what_became_of_them() {
    let broker = Broker::shared().await;
    let virtual_host = broker.virtual_host().await;
    let app = serve(broker, &virtual_host).await;
    hears(&app, true).await;
    let other = Other::join(broker, &virtual_host).await;
    assert_eq!(messages(&app).await, [0.0; 4]);

    other.says(OTHER, EventKind::Refresh).await;
    other.says(OTHER, EventKind::Shutdown).await;
    other.reports().await;
    app.refresh().await;
    for unknown in ["CustomRemoteApplicationEvent", "AnotherRemoteApplicationEvent"] {
        other.says(OTHER, EventKind::Unknown(unknown.to_owned())).await;
    }
    // Everybody would take it for its own: it is no event.
    other.says("*:**", EventKind::Refresh).await;
    eventually!(DEADLINE, messages(&app).await == [3.0, 1.0, 2.0, 1.0]);
}

#[tokio::test]
async fn a_broker_that_goes_is_not_heard_until_it_comes_back_and_what_waits_for_it_is_told() {
    let broker = Broker::launch().await;
    let app = serve(&broker, &broker.virtual_host().await).await;
    hears(&app, true).await;
    broker.stop().await;
    hears(&app, false).await;
    let refreshed = answer(app.request(Method::POST, "/bus/refresh")).await;
    assert_eq!(refreshed.status, StatusCode::ACCEPTED, "{}", refreshed.body);
    assert_eq!(metric(&app, "outbox_pending").await, Some(1.0));
    let waiting = status(&app).await.bus;
    assert_eq!(waiting.queued, 1, "{waiting:?}");
    let oldest = waiting.oldest.expect("something waits");
    assert!(metric(&app, "outbox_oldest_seconds").await.expect("a gauge") * 1000.0 >= oldest as f64);

    broker.start().await;
    hears(&app, true).await;
    eventually!(DEADLINE, metric(&app, "outbox_pending").await == Some(0.0));
    assert_eq!(status(&app).await.bus.oldest, None);
}

async fn status(app: &App) -> ServerStatus {
    serde_json::from_str(&app.get("/bus/status").await.body).expect("the status page")
}
