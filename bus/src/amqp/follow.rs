//! The agent's side: hears events on a queue of its own, reports to the servers.

use std::sync::Arc;

use lapin::message::Delivery;
use lapin::options::ExchangeDeclareOptions;
use lapin::types::FieldTable;
use lapin::{Connection, ExchangeKind};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::warn;

use super::connection::{Watched, channel, fault_of, short};
use super::delivery;
use super::intake::{Ear, Intake};
use super::outlet::{Destination, Outlet};
use super::publisher::{Publisher, Requests};
use super::settings::AmqpSettings;
use crate::link::{Link, Signal, Traffic};
use crate::session::{Session, Standing, keep};
use crate::subscriber::{Concern, Subscriber};
use crate::supervise::Fault;
use crate::transport::TransportError;

const SIGNALS: usize = 256;

/// One agent, over all its connections. Events and reports share a connection: an agent that is
/// blocked from reporting still hears.
struct Follower {
    settings: AmqpSettings,
    listener: Listener,
    reports: Requests,
}

/// Turns deliveries into signals.
#[derive(Clone)]
struct Listener {
    subscriber: Arc<Subscriber>,
    signals: mpsc::Sender<Signal>,
    traffic: Arc<Traffic>,
}

/// Follows the bus as `subscriber`, on a task of `tracker`, until `stop` or until the link's
/// signals are dropped.
///
/// The user needs: configure and write on queues that begin with `<exchange>.<application>.`, read
/// on those and on the exchange, write on the reports exchange. Nothing else.
#[must_use]
pub fn follow(settings: AmqpSettings, subscriber: Subscriber, tracker: &TaskTracker, stop: CancellationToken) -> Link {
    let (signals, heard) = mpsc::channel(SIGNALS);
    let standing = Standing::new("subscriber", settings.patience);
    let (reports, requests) = Publisher::new(&standing, settings.publish_deadline);
    let link = Link::new(heard, standing.state(), Box::new(reports));
    let follower = Follower {
        settings,
        listener: Listener {
            subscriber: Arc::new(subscriber),
            signals: signals.clone(),
            traffic: Arc::clone(&link.traffic),
        },
        reports: requests,
    };
    tracker.spawn(async move {
        tokio::select! {
            () = keep(follower, &standing, &stop) => {}
            () = signals.closed() => {}
        }
    });
    link
}

impl Session for Follower {
    async fn live(&mut self, standing: &Standing) -> Fault {
        let (mut watched, intake, outlet) = match self.open().await {
            Ok(opened) => opened,
            Err(fault) => return fault,
        };
        standing.established();
        if self.listener.tell(Signal::Connected).await.is_err() {
            return Fault::Unwanted;
        }
        let fault = tokio::select! {
            fault = watched.broken(standing) => fault,
            fault = intake.pump(self.listener.clone(), standing, self.settings.liveness) => fault,
            fault = report(&mut self.reports, &outlet, standing) => fault,
        };
        let _ = self.listener.tell(Signal::Lost(fault.reason().to_owned())).await;
        fault
    }
}

impl Follower {
    async fn open(&self) -> Result<(Watched, Intake, Outlet), Fault> {
        let settings = &self.settings;
        let application = self.listener.subscriber.bus_id.application();
        let watched = Watched::open(settings, &format!("config-bus agent {application}")).await?;
        exists(&watched.connection, &settings.exchange).await?;
        let intake = Intake::open(&watched.connection, settings, application, &settings.exchange).await?;
        let to = Destination {
            exchange: &settings.reports_exchange,
            routing_key: &settings.reports_exchange,
            user: &settings.credentials.username,
        };
        let outlet = Outlet::open(&watched.connection, to, settings.publish_deadline).await?;
        Ok((watched, intake, outlet))
    }
}

impl Listener {
    async fn tell(&self, signal: Signal) -> Result<(), Fault> {
        self.signals.send(signal).await.map_err(|_| Fault::Unwanted)
    }
}

impl Ear for Listener {
    async fn hear(&mut self, delivery: Delivery) -> Result<(), Fault> {
        match delivery::message(&delivery.data, &delivery.properties) {
            Ok(message) => {
                let concern = self.subscriber.concern(&message);
                self.traffic.count(concern);
                match concern {
                    Concern::Addressed => self.tell(Signal::Received(message)).await,
                    Concern::Elsewhere | Concern::OutOfScope | Concern::Unknown => Ok(()),
                }
            }
            Err(e) => {
                self.traffic.count_malformed();
                self.tell(Signal::Rejected(e.to_string())).await
            }
        }
    }
}

/// An agent that does not report any more, or must not, still listens.
async fn report(reports: &mut Requests, outlet: &Outlet, standing: &Standing) -> Fault {
    match reports.relay(outlet, standing).await {
        Some(refused @ TransportError::Refused(_)) => {
            warn!(error = %refused, "the broker refuses reports: the servers do not hear of this agent");
            reports.refuse(&refused).await;
        }
        Some(error) => return Fault::Transient(error.to_string()),
        None => {}
    }
    std::future::pending().await
}

/// A passive declaration: asks for the exchange without the right to make it. The type is not
/// looked at.
async fn exists(connection: &Connection, exchange: &str) -> Result<(), Fault> {
    let options = ExchangeDeclareOptions {
        passive: true,
        ..ExchangeDeclareOptions::default()
    };
    let own = channel(connection).await?;
    let asked = own.exchange_declare(short(exchange)?, ExchangeKind::Fanout, options, FieldTable::default());
    asked.await.map_err(|e| fault_of(&e))
}
