//! One connection to the broker, watched.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use lapin::protocol::AMQPErrorKind;
use lapin::types::ShortString;
use lapin::{Channel, Connection, ErrorKind, Event};
use tokio::time::interval;

use super::dial::dial;
use super::settings::AmqpSettings;
use crate::session::Standing;
use crate::supervise::Fault;

/// Codes that a person must mend: refused, not allowed, exists otherwise.
const CONFIGURATION_CODES: [u16; 3] = [403, 406, 530];
/// The library tells most failures by an event; the rest shows in the status.
const STATUS_PERIOD: Duration = Duration::from_secs(5);

/// An open connection and what it tells about itself.
pub(crate) struct Watched {
    pub(crate) connection: Connection,
    events: Pin<Box<dyn Stream<Item = Event> + Send>>,
}

impl Watched {
    /// Connects to the first address that answers. `role` is how the broker's tools call the
    /// connection.
    pub(crate) async fn open(settings: &AmqpSettings, role: &str) -> Result<Self, Fault> {
        let mut fault = Fault::Configuration("no address of a broker is named".to_owned());
        for address in &settings.addresses {
            match dial(settings, address, role).await {
                Ok(connection) => {
                    let events = Box::pin(connection.events_listener());
                    return Ok(Self { connection, events });
                }
                Err(failed) => fault = fault.then(failed),
            }
        }
        Err(fault)
    }

    /// Ends with the connection, and tells `standing` meanwhile whether the broker takes messages.
    pub(crate) async fn broken(&mut self, standing: &Standing) -> Fault {
        let mut status = interval(STATUS_PERIOD);
        loop {
            tokio::select! {
                event = self.events.next() => match event {
                    Some(Event::ConnectionBlocked(reason)) => standing.blocked(reason),
                    Some(Event::ConnectionUnblocked) => standing.unblocked(),
                    // What closed one channel is told to whoever uses that channel.
                    Some(Event::Error(e)) if !is_of_a_channel(&e) => return fault_of(&e),
                    Some(_) => {}
                    None => return Fault::Transient("the connection ended".to_owned()),
                },
                _ = status.tick() => if !self.connection.status().connected() {
                    return Fault::Transient("the connection is closed".to_owned());
                },
            }
        }
    }
}

/// A channel; a refusal on one does not touch the others.
pub(crate) async fn channel(connection: &Connection) -> Result<Channel, Fault> {
    connection.create_channel().await.map_err(|e| fault_of(&e))
}

/// A soft error closes the channel it came on, and nothing else (AMQP 0-9-1, 1.2).
fn is_of_a_channel(error: &lapin::Error) -> bool {
    matches!(error.kind(), ErrorKind::ProtocolError(refused) if matches!(refused.kind(), AMQPErrorKind::Soft(_)))
}

/// What an error of the library means for the next attempt.
pub(crate) fn fault_of(error: &lapin::Error) -> Fault {
    match error.kind() {
        ErrorKind::ProtocolError(refused) if CONFIGURATION_CODES.contains(&refused.get_id()) => {
            Fault::Configuration(refused.get_message().to_string())
        }
        // How the TLS layer tells a certificate that does not verify.
        ErrorKind::IOError(e) if e.kind() == io::ErrorKind::InvalidData => Fault::Configuration(format!("TLS: {e}")),
        ErrorKind::IOError(e) => Fault::Transient(e.to_string()),
        _ => Fault::Transient(error.to_string()),
    }
}

/// A name as AMQP writes it.
pub(crate) fn short(name: &str) -> Result<ShortString, Fault> {
    ShortString::try_new(name).map_err(|_| Fault::Configuration("a name is longer than 255 bytes".to_owned()))
}
