//! Joins the bus that the settings name.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use bus::embedded::{Hub, HubSettings};
use bus::{EventTransport, Inbound, LinkState, amqp};
use thiserror::Error;
use tokio::sync::{mpsc, watch};

use super::stopping::Stages;
use crate::actuator::gathered::Heard;
use crate::settings::bus::{AmqpSettings, AmqpTls};
use crate::settings::encrypt::Secret;
use crate::settings::{BusSettings, Settings};
use crate::tasks::Tasks;

/// Why the bus cannot be joined. A broker that is away is no reason: it is waited for.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TransportFault {
    #[error("cannot read the file of `config-bus.amqp.ca-file`")]
    Authorities(#[source] io::Error),
    #[error("cannot read the file of `spring.rabbitmq.ssl.key-store`")]
    Identity(#[source] io::Error),
}

/// The bus as this server is on it.
#[derive(Debug)]
pub(super) struct Joined {
    /// What events are published to.
    pub(super) transport: Arc<dyn EventTransport>,
    /// The hub besides a broker, for agents that cannot reach that.
    pub(super) nearby: Option<Arc<dyn EventTransport>>,
    /// The event streams of `/bus/events`.
    pub(super) hub: Arc<Hub>,
    /// What others say; nobody else speaks on the embedded bus.
    pub(super) inbound: Option<mpsc::Receiver<Inbound>>,
    /// How what others say comes in; `None` without a broker.
    pub(super) heard: Option<Heard>,
    pub(super) announces: bool,
}

impl Joined {
    pub(super) fn join(settings: &Settings, tasks: &Tasks, stages: &Stages) -> Result<Self, TransportFault> {
        let hub = Hub::new(HubSettings::default(), stages.accepting.clone());
        let embedded = |announces| Self {
            transport: Arc::clone(&hub) as _,
            nearby: None,
            hub: Arc::clone(&hub),
            inbound: None,
            heard: None,
            announces,
        };
        Ok(match &settings.bus {
            BusSettings::Off => embedded(false),
            BusSettings::Embedded => embedded(true),
            BusSettings::Amqp(amqp) => {
                let me = settings.change.bus_id.clone();
                let serving = amqp::serve(broker(amqp)?, me, tasks.tracker(), &stages.connected);
                Self {
                    transport: serving.transport,
                    nearby: Some(Arc::clone(&hub) as _),
                    hub,
                    inbound: Some(serving.inbound),
                    heard: Some(Heard {
                        state: serving.hearing,
                        traffic: serving.traffic,
                    }),
                    announces: true,
                }
            }
        })
    }

    /// How the bus stands; `None` when nothing is announced.
    pub(super) fn state(&self) -> Option<watch::Receiver<LinkState>> {
        self.announces.then(|| self.transport.state())
    }
}

fn broker(settings: &AmqpSettings) -> Result<amqp::AmqpSettings, TransportFault> {
    let address = |(host, port): &(String, u16)| amqp::Address {
        host: host.clone(),
        port: *port,
    };
    let credentials = bus::Credentials {
        username: settings.username.clone(),
        password: bus::Secret::new(settings.password.expose()),
    };
    let usual = amqp::AmqpSettings::new(settings.addresses.iter().map(address).collect(), credentials);
    Ok(amqp::AmqpSettings {
        virtual_host: settings.virtual_host.clone(),
        tls: settings.tls.as_ref().map(encryption).transpose()?,
        heartbeat: settings.heartbeat.unwrap_or(usual.heartbeat),
        exchange: settings.exchange.clone(),
        spring_bridge: settings.spring_exchange.is_some(),
        spring_destination: settings
            .spring_exchange
            .clone()
            .unwrap_or_else(|| usual.spring_destination.clone()),
        connect_deadline: settings.connection_timeout,
        ..usual
    })
}

fn encryption(settings: &AmqpTls) -> Result<amqp::TlsSettings, TransportFault> {
    let authorities = |path| std::fs::read_to_string(path).map_err(TransportFault::Authorities);
    let identity = |(path, password): &(PathBuf, Secret)| {
        Ok(amqp::ClientIdentity::Pkcs12 {
            store: std::fs::read(path).map_err(TransportFault::Identity)?,
            password: bus::Secret::new(password.expose()),
        })
    };
    Ok(amqp::TlsSettings {
        authorities: settings.ca_file.as_ref().map(authorities).transpose()?,
        identity: settings.key_store.as_ref().map(identity).transpose()?,
    })
}
