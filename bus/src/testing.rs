//! A member of the bus for tests that speaks plain AMQP, as Spring applications do.
//!
//! Everything here panics when the broker does not do as it is told.

use std::net::SocketAddr;

use futures_util::StreamExt;
use lapin::options::{
    BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions, QueueBindOptions,
    QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, Consumer, ExchangeKind};

/// The exchange of Spring applications.
pub const SPRING: &str = "springCloudBus";

/// Somebody on the broker who knows nothing of this crate.
#[derive(Debug)]
pub struct Stranger {
    _connection: Connection,
    /// To do more with.
    pub channel: Channel,
}

impl Stranger {
    /// Joins a virtual host of the broker at `broker`, as its guest.
    pub async fn join(broker: SocketAddr, virtual_host: &str) -> Self {
        let uri = format!("amqp://guest:guest@{broker}/{virtual_host}");
        let connection = Connection::connect(&uri, ConnectionProperties::default())
            .await
            .expect("a connection");
        let channel = connection.create_channel().await.expect("a channel");
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .await
            .expect("confirms");
        Self {
            _connection: connection,
            channel,
        }
    }

    /// Declares a durable exchange.
    pub async fn declare(&self, exchange: &str, kind: ExchangeKind) {
        let options = ExchangeDeclareOptions {
            durable: true,
            ..ExchangeDeclareOptions::default()
        };
        let declared = self
            .channel
            .exchange_declare(exchange.into(), kind, options, FieldTable::default());
        declared.await.expect("the exchange is as it should be");
    }

    /// A queue as a Spring application has it, on each of `exchanges`.
    pub async fn listen(&self, exchanges: &[&str]) -> Consumer {
        let options = QueueDeclareOptions {
            exclusive: true,
            auto_delete: true,
            ..QueueDeclareOptions::default()
        };
        let queue = self
            .channel
            .queue_declare("".into(), options, FieldTable::default())
            .await
            .expect("a queue");
        for exchange in exchanges {
            let (options, none) = (QueueBindOptions::default(), FieldTable::default());
            let bound = self
                .channel
                .queue_bind(queue.name().clone(), (*exchange).into(), "#".into(), options, none);
            bound.await.expect("a binding");
        }
        let options = BasicConsumeOptions {
            no_ack: true,
            ..BasicConsumeOptions::default()
        };
        let consumed = self
            .channel
            .basic_consume(queue.name().clone(), "".into(), options, FieldTable::default());
        consumed.await.expect("a consumer")
    }

    /// Publishes as a Spring application does.
    pub async fn say(&self, body: &[u8], properties: BasicProperties) {
        let published = self.channel.basic_publish(
            SPRING.into(),
            SPRING.into(),
            BasicPublishOptions::default(),
            body,
            properties,
        );
        published.await.expect("it is sent").await.expect("it is confirmed");
    }

    /// Publishes `event` as a Spring application does, named as JSON.
    pub async fn say_json(&self, event: &str) {
        let json = BasicProperties::default().with_content_type("application/json".into());
        self.say(event.as_bytes(), json).await;
    }
}

/// The next body out of a queue.
pub async fn body(queue: &mut Consumer) -> Vec<u8> {
    let delivery = queue.next().await.expect("the queue lives");
    delivery.expect("the channel lives").data
}
