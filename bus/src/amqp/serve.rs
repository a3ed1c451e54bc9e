//! The server's side: declares, publishes on one connection, hears on another. A memory alarm
//! blocks those who publish; it must not make the server deaf.

use std::sync::Arc;

use contract::{BusId, EventKind};
use lapin::message::Delivery;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::debug;

use super::connection::Watched;
use super::delivery;
use super::intake::{Ear, Intake};
use super::outlet::{Destination, Outlet};
use super::publisher::{Publisher, Requests};
use super::settings::AmqpSettings;
use super::topology::Topology;
use crate::link::{LinkState, Traffic};
use crate::session::{Session, Standing, keep};
use crate::subscriber::Concern;
use crate::supervise::Fault;
use crate::transport::{EventTransport, Inbound};

const INBOUND: usize = 1024;
const OWNER: &str = "server";

/// A server on the bus.
#[derive(Debug)]
pub struct Serving {
    /// Publishes events.
    pub transport: Arc<dyn EventTransport>,
    /// What others say. Bounded: a slow reader leaves it in the broker's queues.
    pub inbound: mpsc::Receiver<Inbound>,
    /// How the hearing connection stands; the publishing one is [`EventTransport::state`].
    pub hearing: watch::Receiver<LinkState>,
    /// How much was heard.
    pub traffic: Arc<Traffic>,
}

/// The publishing connections.
struct Speaker {
    settings: AmqpSettings,
    requests: Requests,
}

/// The hearing connections.
struct Hearer {
    settings: AmqpSettings,
    me: BusId,
    inbound: mpsc::Sender<Inbound>,
    traffic: Arc<Traffic>,
}

/// What an event delivery becomes.
struct Events {
    me: BusId,
    inbound: mpsc::Sender<Inbound>,
    traffic: Arc<Traffic>,
}

/// What a report delivery becomes.
struct Reports {
    inbound: mpsc::Sender<Inbound>,
    traffic: Arc<Traffic>,
}

/// Joins the bus as the server `me`, on tasks of `tracker`, until `stop`. Dropping the transport
/// ends the publishing connection, dropping the inbound receiver the hearing one.
#[must_use]
pub fn serve(settings: AmqpSettings, me: BusId, tracker: &TaskTracker, stop: &CancellationToken) -> Serving {
    let speaking = Standing::new("publisher", settings.patience);
    let (publisher, requests) = Publisher::new(&speaking, settings.publish_deadline);
    let speaker = Speaker {
        settings: settings.clone(),
        requests,
    };
    let stopped = stop.clone();
    tracker.spawn(async move { keep(speaker, &speaking, &stopped).await });

    let hearing = Standing::new("server", settings.patience);
    let (inbound, received) = mpsc::channel(INBOUND);
    let traffic = Arc::<Traffic>::default();
    let hearer = Hearer {
        settings,
        me,
        inbound: inbound.clone(),
        traffic: Arc::clone(&traffic),
    };
    let (state, stopped) = (hearing.state(), stop.clone());
    tracker.spawn(async move {
        tokio::select! {
            () = keep(hearer, &hearing, &stopped) => {}
            () = inbound.closed() => {}
        }
    });
    Serving {
        transport: Arc::new(publisher),
        inbound: received,
        hearing: state,
        traffic,
    }
}

impl Session for Speaker {
    async fn live(&mut self, standing: &Standing) -> Fault {
        let (mut watched, outlet) = match self.open().await {
            Ok(opened) => opened,
            Err(fault) => return fault,
        };
        standing.established();
        tokio::select! {
            fault = watched.broken(standing) => fault,
            ended = self.requests.relay(&outlet, standing) => {
                ended.map_or(Fault::Unwanted, |error| Fault::Transient(error.to_string()))
            }
        }
    }
}

impl Speaker {
    async fn open(&self) -> Result<(Watched, Outlet), Fault> {
        let settings = &self.settings;
        let watched = Watched::open(settings, "config-bus server, publishing").await?;
        Topology::of(settings).declare(&watched.connection).await?;
        let to = Destination {
            exchange: &settings.exchange,
            // Spring binds with `#` or, where an application set it so, with this name.
            routing_key: &settings.spring_destination,
            user: &settings.credentials.username,
        };
        let outlet = Outlet::open(&watched.connection, to, settings.publish_deadline).await?;
        Ok((watched, outlet))
    }
}

impl Session for Hearer {
    async fn live(&mut self, standing: &Standing) -> Fault {
        let (mut watched, events, reports) = match self.open().await {
            Ok(opened) => opened,
            Err(fault) => return fault,
        };
        standing.established();
        if self.inbound.send(Inbound::Connected).await.is_err() {
            return Fault::Unwanted;
        }
        let hear_event = Events {
            me: self.me.clone(),
            inbound: self.inbound.clone(),
            traffic: Arc::clone(&self.traffic),
        };
        let hear_report = Reports {
            inbound: self.inbound.clone(),
            traffic: Arc::clone(&self.traffic),
        };
        tokio::select! {
            fault = watched.broken(standing) => fault,
            fault = events.pump(hear_event, standing, self.settings.liveness) => fault,
            fault = reports.pump(hear_report, standing, self.settings.liveness) => fault,
        }
    }
}

impl Hearer {
    async fn open(&self) -> Result<(Watched, Intake, Intake), Fault> {
        let settings = &self.settings;
        let watched = Watched::open(settings, "config-bus server, hearing").await?;
        Topology::of(settings).declare(&watched.connection).await?;
        let events = Intake::open(&watched.connection, settings, OWNER, &settings.exchange).await?;
        let reports = Intake::open(&watched.connection, settings, OWNER, &settings.reports_exchange).await?;
        Ok((watched, events, reports))
    }
}

impl Ear for Events {
    async fn hear(&mut self, delivery: Delivery) -> Result<(), Fault> {
        let message = match delivery::message(&delivery.data, &delivery.properties) {
            Ok(message) => message,
            Err(e) => {
                debug!(error = %e, "dropped a message that is no event");
                self.traffic.count_malformed();
                return Ok(());
            }
        };
        let concern = match message.event.kind {
            EventKind::Unknown(_) => Concern::Unknown,
            _ if message.event.origin == self.me.as_str() => Concern::Elsewhere,
            _ => Concern::Addressed,
        };
        self.traffic.count(concern);
        match concern {
            Concern::Addressed => hand_over(&self.inbound, Inbound::Event(message)).await,
            Concern::Elsewhere | Concern::OutOfScope | Concern::Unknown => Ok(()),
        }
    }
}

impl Ear for Reports {
    async fn hear(&mut self, delivery: Delivery) -> Result<(), Fault> {
        match serde_json::from_slice(&delivery.data) {
            Ok(report) => {
                self.traffic.count(Concern::Addressed);
                hand_over(&self.inbound, Inbound::Report(report)).await
            }
            Err(e) => {
                debug!(error = %e, "dropped a message that is no report");
                self.traffic.count_malformed();
                Ok(())
            }
        }
    }
}

async fn hand_over(inbound: &mpsc::Sender<Inbound>, what: Inbound) -> Result<(), Fault> {
    inbound.send(what).await.map_err(|_| Fault::Unwanted)
}
