//! Joins the bus that the settings name.

use std::sync::Arc;

use bus::embedded::{Hub, HubSettings};
use bus::{EventTransport, Inbound, LinkState, amqp};
use tokio::sync::{mpsc, watch};

use super::broker::{BrokerFault, broker};
use super::stopping::Stages;
use crate::actuator::gathered::Heard;
use crate::settings::{BusSettings, Settings};
use crate::tasks::Tasks;

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
    pub(super) fn join(settings: &Settings, tasks: &Tasks, stages: &Stages) -> Result<Self, BrokerFault> {
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
