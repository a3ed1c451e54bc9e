//! A queue of one's own on one exchange, and what comes out of it.

use std::future::Future;
use std::time::Duration;

use futures_util::StreamExt;
use lapin::message::Delivery;
use lapin::options::{BasicConsumeOptions, BasicQosOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{Channel, Connection, Consumer};
use tokio::time::{Instant, interval_at, timeout};

use super::acks::Acks;
use super::connection::{channel, fault_of, short};
use super::settings::AmqpSettings;
use crate::session::Standing;
use crate::supervise::Fault;

pub(super) const PREFETCH: u16 = 100;
/// Oldest first out: events are hints, and whoever is this far behind looks anyway.
const MAX_QUEUED: i32 = 10_000;
const PROBE_DEADLINE: Duration = Duration::from_secs(10);

/// A consumer on an exclusive queue. The queue's name is new on every attempt: after a silent cut
/// the broker still holds the old one for the dead connection (spring-cloud-bus contract 3.2).
pub(crate) struct Intake {
    queue: ShortString,
    consumer: Consumer,
    /// For questions, which must not disturb the consuming channel.
    spare: Channel,
    acks: Acks,
}

/// Takes what an intake hears. Acknowledged whatever becomes of it: an event is a hint, and no
/// failure to act on it is mended by another delivery.
pub(crate) trait Ear: Send {
    fn hear(&mut self, delivery: Delivery) -> impl Future<Output = Result<(), Fault>> + Send;
}

impl Intake {
    /// Declares a queue for `owner`, binds it to `exchange` and consumes it.
    pub(crate) async fn open(
        connection: &Connection,
        settings: &AmqpSettings,
        owner: &str,
        exchange: &str,
    ) -> Result<Self, Fault> {
        let queue = short(&queue_name(settings, owner))?;
        let consuming = channel(connection).await?;
        declare(&consuming, &queue, &short(exchange)?)
            .await
            .map_err(|e| fault_of(&e))?;
        let consumer = consume(&consuming, &queue).await.map_err(|e| fault_of(&e))?;
        Ok(Self {
            queue,
            consumer,
            spare: channel(connection).await?,
            acks: Acks::default(),
        })
    }

    /// Lets `ear` hear everything, until the queue, its consumer or the connection is gone.
    pub(crate) async fn pump(mut self, mut ear: impl Ear, standing: &Standing, liveness: Duration) -> Fault {
        let mut pulse = interval_at(Instant::now() + liveness, liveness);
        loop {
            let heard = tokio::select! {
                delivery = self.next() => match delivery {
                    Ok(delivery) => ear.hear(delivery).await,
                    Err(fault) => Err(fault),
                },
                // A blocked broker does not answer; that is no sign of death.
                _ = pulse.tick(), if !standing.is_blocked() => self.probe().await,
            };
            if let Err(fault) = heard {
                return fault;
            }
        }
    }

    async fn next(&mut self) -> Result<Delivery, Fault> {
        loop {
            tokio::select! {
                () = self.acks.run() => {}
                delivery = self.consumer.next() => {
                    let delivery = match delivery {
                        Some(delivery) => delivery.map_err(|e| fault_of(&e))?,
                        None => return Err(Fault::Transient("the queue was deleted".to_owned())),
                    };
                    self.acks.owe(delivery.acker.clone());
                    return Ok(delivery);
                }
            }
        }
    }

    /// Asks the broker whether the queue still has its consumer: a library or a broker that has
    /// lost it says nothing by itself.
    async fn probe(&mut self) -> Result<(), Fault> {
        let options = QueueDeclareOptions {
            passive: true,
            ..QueueDeclareOptions::default()
        };
        let asked = self
            .spare
            .queue_declare(self.queue.clone(), options, FieldTable::default());
        match timeout(PROBE_DEADLINE, asked).await {
            Ok(Ok(queue)) if queue.consumer_count() == 1 => Ok(()),
            Ok(Ok(_)) => Err(Fault::Transient("the broker has forgotten the consumer".to_owned())),
            Ok(Err(e)) => Err(fault_of(&e)),
            Err(_) => Err(Fault::Transient("the broker did not answer in time".to_owned())),
        }
    }
}

async fn declare(channel: &Channel, queue: &ShortString, exchange: &ShortString) -> lapin::Result<()> {
    let options = QueueDeclareOptions {
        exclusive: true,
        auto_delete: true,
        ..QueueDeclareOptions::default()
    };
    let mut arguments = FieldTable::default();
    arguments.insert("x-max-length".into(), AMQPValue::LongInt(MAX_QUEUED));
    channel.queue_declare(queue.clone(), options, arguments).await?;
    let (options, none) = (QueueBindOptions::default(), FieldTable::default());
    channel
        .queue_bind(queue.clone(), exchange.clone(), "".into(), options, none)
        .await
}

async fn consume(channel: &Channel, queue: &ShortString) -> lapin::Result<Consumer> {
    channel.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
    let (options, none) = (BasicConsumeOptions::default(), FieldTable::default());
    channel.basic_consume(queue.clone(), "".into(), options, none).await
}

/// `config-bus.<owner>[.<host>].<random>`: a prefix to give rights on, a name an operator can read.
fn queue_name(settings: &AmqpSettings, owner: &str) -> String {
    let random = uuid::Uuid::new_v4().simple().to_string();
    let (exchange, owner) = (&settings.exchange, clipped(owner));
    match settings.host.as_deref().map(clipped) {
        Some(host) => format!("{exchange}.{owner}.{host}.{random}"),
        None => format!("{exchange}.{owner}.{random}"),
    }
}

/// At most 80 bytes, so that the whole name stays under AMQP's 255.
fn clipped(text: &str) -> &str {
    let mut end = text.len().min(80);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
