//! Puts messages into an exchange and waits for the broker's confirm.

use std::time::Duration;

use contract::{Message, Report};
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ErrorKind};
use tokio::time::timeout;

use super::connection::{channel, fault_of, short};
use crate::supervise::Fault;
use crate::transport::{Receipt, TransportError};

/// AMQP's delivery mode for "keep on disk", as Spring sends.
const PERSISTENT: u8 = 2;
const JSON: &str = "application/json";

/// A channel in confirm mode, to one exchange. One message at a time: what comes back unroutable
/// is then surely the one that was sent.
#[derive(Debug)]
pub(crate) struct Outlet {
    channel: Channel,
    exchange: ShortString,
    routing_key: ShortString,
    user: ShortString,
    deadline: Duration,
}

/// Body and properties of one message.
#[derive(Debug)]
pub(crate) struct Parcel {
    body: Vec<u8>,
    properties: BasicProperties,
}

impl Outlet {
    pub(crate) async fn open(connection: &Connection, to: Destination<'_>, deadline: Duration) -> Result<Self, Fault> {
        let own = channel(connection).await?;
        own.confirm_select(ConfirmSelectOptions::default())
            .await
            .map_err(|e| fault_of(&e))?;
        Ok(Self {
            channel: own,
            exchange: short(to.exchange)?,
            routing_key: short(to.routing_key)?,
            user: short(to.user)?,
            deadline,
        })
    }

    /// Sends and waits for the confirm.
    ///
    /// # Errors
    /// After any error the connection is of no further use: the message may still be in it.
    pub(crate) async fn send(&self, parcel: Parcel) -> Result<Receipt, TransportError> {
        let id = parcel.properties.message_id().clone();
        let properties = parcel.properties.with_user_id(self.user.clone());
        let options = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        let (exchange, key) = (self.exchange.clone(), self.routing_key.clone());
        let confirmed = async {
            let sent = self
                .channel
                .basic_publish(exchange, key, options, &parcel.body, properties);
            sent.await?.await
        };
        let confirmation = timeout(self.deadline, confirmed)
            .await
            .map_err(|_| TransportError::TimedOut)?
            .map_err(|e| refusal(&e))?;
        match confirmation {
            Confirmation::Ack(returned) => Ok(Receipt {
                // The broker returns what no queue took, and confirms it all the same.
                heard: returned.is_none_or(|returned| returned.properties.message_id() != &id),
            }),
            Confirmation::Nack(_) | Confirmation::NotRequested => {
                Err(TransportError::Refused("the broker could not take it".to_owned()))
            }
        }
    }
}

/// Where an outlet leads, and as whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Destination<'a> {
    pub(crate) exchange: &'a str,
    pub(crate) routing_key: &'a str,
    pub(crate) user: &'a str,
}

impl Parcel {
    /// An event in Spring's form, the notice in headers beside it. `message_id` is the event's.
    pub(crate) fn of_message(message: &Message) -> Self {
        let mut headers = FieldTable::default();
        for (name, value) in message.notice.iter().flat_map(|notice| notice.to_headers()) {
            headers.insert(name.into(), AMQPValue::LongString(value.into()));
        }
        let properties = plain()
            .with_timestamp(message.event.timestamp / 1000)
            .with_headers(headers);
        Self {
            body: message.event.to_json(),
            properties: match ShortString::try_new(message.event.id.as_str()) {
                Ok(id) => properties.with_message_id(id),
                Err(_) => properties,
            },
        }
    }

    pub(crate) fn of_report(report: &Report) -> Self {
        Self {
            body: serde_json::to_vec(report).expect("texts and numbers serialise"),
            properties: plain(),
        }
    }
}

fn plain() -> BasicProperties {
    BasicProperties::default()
        .with_content_type(JSON.into())
        .with_delivery_mode(PERSISTENT)
}

fn refusal(error: &lapin::Error) -> TransportError {
    match error.kind() {
        ErrorKind::ProtocolError(refused) => TransportError::Refused(refused.get_message().to_string()),
        _ => TransportError::NotConnected(error.to_string()),
    }
}
