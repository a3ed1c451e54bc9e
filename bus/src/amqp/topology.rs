//! What the server declares, as data, and its declaration.

use lapin::options::{ExchangeBindOptions, ExchangeDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Connection, ExchangeKind};

use super::connection::{channel, fault_of, short};
use super::settings::AmqpSettings;
use crate::supervise::Fault;

/// AMQP's code for "exists, but otherwise".
const PRECONDITION_FAILED: u16 = 406;

/// Exchanges and the bindings between them. All are durable, none is deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Topology {
    pub(crate) exchanges: Vec<Exchange>,
    pub(crate) bindings: Vec<Binding>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exchange {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Fanout,
    Topic,
}

/// What `source` takes with a routing key like `key` goes on to `destination`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binding {
    pub(crate) source: String,
    pub(crate) destination: String,
    pub(crate) key: &'static str,
}

impl Topology {
    /// The topology `settings` ask for. The bridge binds both ways: the broker cuts cycles, so
    /// each queue on either side gets one copy (spring-cloud-bus contract 3.3, recipe C).
    pub(crate) fn of(settings: &AmqpSettings) -> Self {
        let exchange = |name: &String, kind| Exchange {
            name: name.clone(),
            kind,
        };
        let bound = |source: &String, destination: &String| Binding {
            source: source.clone(),
            destination: destination.clone(),
            key: "#",
        };
        let (ours, spring) = (&settings.exchange, &settings.spring_destination);
        let mut topology = Self {
            exchanges: vec![
                exchange(ours, Kind::Fanout),
                exchange(&settings.reports_exchange, Kind::Fanout),
            ],
            bindings: Vec::new(),
        };
        if settings.spring_bridge {
            topology.exchanges.push(exchange(spring, Kind::Topic));
            topology.bindings = vec![bound(spring, ours), bound(ours, spring)];
        }
        topology
    }

    /// Declares everything. Repeating it changes nothing.
    pub(crate) async fn declare(&self, connection: &Connection) -> Result<(), Fault> {
        for exchange in &self.exchanges {
            exchange.declare(connection).await?;
        }
        let own = channel(connection).await?;
        for Binding {
            source,
            destination,
            key,
        } in &self.bindings
        {
            let options = ExchangeBindOptions::default();
            let (to, from) = (short(destination)?, short(source)?);
            let bound = own.exchange_bind(to, from, (*key).into(), options, FieldTable::default());
            bound.await.map_err(|e| fault_of(&e))?;
        }
        Ok(())
    }
}

impl Exchange {
    /// On a channel of its own: a refused declaration closes the channel.
    async fn declare(&self, connection: &Connection) -> Result<(), Fault> {
        let own = channel(connection).await?;
        let options = ExchangeDeclareOptions {
            durable: true,
            ..ExchangeDeclareOptions::default()
        };
        let declared = own.exchange_declare(short(&self.name)?, self.kind.into(), options, FieldTable::default());
        declared.await.map_err(|e| match e.kind() {
            lapin::ErrorKind::ProtocolError(refused) if refused.get_id() == PRECONDITION_FAILED => {
                Fault::Configuration(self.conflict(refused.get_message().as_str()))
            }
            _ => fault_of(&e),
        })
    }

    /// Names both types out of the broker's text, which ends `received 'fanout' but current is 'topic'`.
    fn conflict(&self, refused: &str) -> String {
        let (name, wanted) = (&self.name, self.kind.name());
        let about_type = refused.contains("'type'");
        match refused.rsplit('\'').nth(1).filter(|_| about_type) {
            Some(current) => format!(
                "the exchange `{name}` exists with type `{current}`, but type `{wanted}` is needed: delete it, or name another exchange"
            ),
            None => format!(
                "the exchange `{name}` exists with other properties than a durable `{wanted}` exchange has: {refused}"
            ),
        }
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Fanout => "fanout",
            Self::Topic => "topic",
        }
    }
}

impl From<Kind> for ExchangeKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Fanout => Self::Fanout,
            Kind::Topic => Self::Topic,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::{Credentials, Secret};

    fn settings() -> AmqpSettings {
        let credentials = Credentials {
            username: "guest".to_owned(),
            password: Secret::new("guest"),
        };
        AmqpSettings::new(Vec::new(), credentials)
    }

    #[test]
    fn the_bridge_binds_both_ways_and_can_be_left_out() {
        let with = Topology::of(&settings());
        assert_eq!(with.exchanges.len(), 3);
        assert_eq!(with.bindings[0].source, with.bindings[1].destination);
        assert_eq!(with.bindings[1].source, with.bindings[0].destination);
        let without = Topology::of(&AmqpSettings {
            spring_bridge: false,
            ..settings()
        });
        assert_eq!(without.exchanges.len(), 2);
        assert!(without.bindings.is_empty());
    }

    #[test]
    fn a_conflict_names_both_types() {
        let exchange = &Topology::of(&settings()).exchanges[0];
        let told = exchange.conflict(
            "PRECONDITION_FAILED - inequivalent arg 'type' for exchange 'config-bus' in vhost '/': received 'fanout' but current is 'topic'",
        );
        assert!(told.contains("`topic`") && told.contains("`fanout`"), "{told}");
    }
}
