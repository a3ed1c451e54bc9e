//! Events on the bus, in Spring's JSON (spring-cloud-bus contract 1.1, 1.2).
//!
//! The reader is tolerant (any member order, unknown members, snake case, a missing id), the writer
//! strict: exactly the members Spring knows, in Jackson's order.

use std::fmt;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use thiserror::Error;
use uuid::Uuid;

use crate::bus_id::BusId;
use crate::destination::Destination;
use crate::names::{CommitId, Label};

const REFRESH: &str = "RefreshRemoteApplicationEvent";
const ENVIRONMENT_CHANGE: &str = "EnvironmentChangeRemoteApplicationEvent";
const ACK: &str = "AckRemoteApplicationEvent";

/// The type of the event that asks its receivers to end.
pub const SHUTDOWN: &str = "ShutdownRemoteApplicationEvent";

/// Java's name of the refresh event, which acks carry.
pub const REFRESH_CLASS: &str = "org.springframework.cloud.bus.event.RefreshRemoteApplicationEvent";

/// The id of an event. Ours are UUIDs; others may be any text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(String);

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusEvent {
    /// Names the event; a repeated one is a repeated delivery.
    pub id: EventId,
    /// When it was made, milliseconds since 1970; 0 when it does not say.
    pub timestamp: u64,
    /// The bus id of the sender, as it wrote it: opaque.
    pub origin: String,
    /// Whom it is meant for; `None` matches nobody (the member was absent).
    pub destination: Option<Destination>,
    /// What it asks for.
    pub kind: EventKind,
}

/// What an event asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// Look whether your configuration changed.
    Refresh,
    /// Set these values on top of everything else; `None` is a null value.
    EnvironmentChange(IndexMap<String, Option<String>>),
    /// A member handled an event.
    Ack {
        /// The event that was handled; bus 5.x writes it, but may have lost it when it relays.
        acked: Option<EventId>,
        /// Where that event was sent.
        acked_destination: Option<String>,
        /// Its Java class name.
        event: Option<String>,
    },
    /// End the process.
    Shutdown,
    /// A type this version does not know, by its name. Counted and dropped.
    Unknown(String),
}

/// Why a body is no event. It is counted and dropped, never redelivered.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EventError {
    /// The body is not JSON.
    #[error("the body is not JSON")]
    NotJson(#[source] serde_json::Error),
    /// The body is JSON, but not an object.
    #[error("the body is not a JSON object")]
    NotAnObject,
    /// A member is missing or of the wrong kind.
    #[error("the member `{0}` is missing or not of its kind")]
    Member(&'static str),
    /// The origin holds wildcards, so that every member would take the event for its own.
    #[error("the origin is a pattern")]
    PatternOrigin,
}

impl EventId {
    /// A fresh random id.
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::new_v4().to_string())
    }

    /// The id of a head move: the same on every server that sees it, so that duplicates are
    /// recognised (promise 5). A version 5 UUID over repository, label, both commits and `visit`,
    /// which tells apart repeated passages over the same pair (A to B, back, and to B again).
    #[must_use]
    pub fn of_move(repository: &str, label: &Label, from: Option<&CommitId>, to: &CommitId, visit: u64) -> Self {
        let from = from.map_or("", CommitId::as_str);
        let name = format!("config-bus\n{repository}\n{label}\n{from}\n{to}\n{visit}");
        Self(Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).to_string())
    }

    /// An id as somebody else wrote it.
    #[must_use]
    pub fn received(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl BusEvent {
    /// A refresh from `origin` to `destination`.
    #[must_use]
    pub fn refresh(id: EventId, timestamp: u64, origin: &BusId, destination: Destination) -> Self {
        Self {
            id,
            timestamp,
            origin: origin.to_string(),
            destination: Some(destination),
            kind: EventKind::Refresh,
        }
    }

    /// Whether `id` (with its further `names`) is meant, and is not the sender itself.
    #[must_use]
    pub fn is_for(&self, id: &BusId, names: &[&str]) -> bool {
        self.origin != id.as_str() && self.destination.as_ref().is_some_and(|d| d.matches(id, names))
    }

    /// Reads a body.
    ///
    /// # Errors
    /// [`EventError`] says what is wrong; the body itself is never repeated.
    pub fn parse(body: &[u8]) -> Result<Self, EventError> {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let Value::Object(members) = serde_json::from_slice(body).map_err(EventError::NotJson)? else {
            return Err(EventError::NotAnObject);
        };
        let origin = text(&members, "originService", "origin_service").ok_or(EventError::Member("originService"))?;
        if crate::ant::is_pattern(&origin) && !origin.contains("${") {
            return Err(EventError::PatternOrigin);
        }
        Ok(Self {
            id: text(&members, "id", "id").map_or_else(EventId::random, EventId),
            timestamp: members.get("timestamp").and_then(Value::as_u64).unwrap_or(0),
            origin,
            destination: destination(&members)?,
            kind: kind(&members)?,
        })
    }

    /// The body as Spring writes it: `type, timestamp, originService, destinationService, id`, then
    /// what the type adds.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut members = Map::new();
        members.insert("type".to_owned(), json!(self.type_name()));
        members.insert("timestamp".to_owned(), json!(self.timestamp));
        members.insert("originService".to_owned(), json!(self.origin));
        let destination = self.destination.as_ref().map_or("", Destination::as_str);
        members.insert("destinationService".to_owned(), json!(destination));
        members.insert("id".to_owned(), json!(self.id));
        match &self.kind {
            EventKind::EnvironmentChange(values) => {
                // A null would be set half-way and never acknowledged by a Spring receiver.
                let set: IndexMap<_, _> = values.iter().filter(|(_, v)| v.is_some()).collect();
                members.insert("values".to_owned(), json!(set));
            }
            EventKind::Ack {
                acked,
                acked_destination,
                event,
            } => {
                members.insert("ackId".to_owned(), json!(acked));
                members.insert("ackDestinationService".to_owned(), json!(acked_destination));
                members.insert("event".to_owned(), json!(event));
            }
            EventKind::Refresh | EventKind::Shutdown | EventKind::Unknown(_) => {}
        }
        Value::Object(members).to_string().into_bytes()
    }

    /// The value of the member `type`.
    #[must_use]
    pub fn type_name(&self) -> &str {
        match &self.kind {
            EventKind::Refresh => REFRESH,
            EventKind::EnvironmentChange(_) => ENVIRONMENT_CHANGE,
            EventKind::Ack { .. } => ACK,
            EventKind::Shutdown => SHUTDOWN,
            EventKind::Unknown(name) => name,
        }
    }
}

fn member<'a>(members: &'a Map<String, Value>, camel: &str, snake: &str) -> Option<&'a Value> {
    members.get(camel).or_else(|| members.get(snake))
}

fn text(members: &Map<String, Value>, camel: &str, snake: &str) -> Option<String> {
    match member(members, camel, snake)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn destination(members: &Map<String, Value>) -> Result<Option<Destination>, EventError> {
    match member(members, "destinationService", "destination_service") {
        None => Ok(None),
        Some(Value::Null) => Ok(Some(Destination::received(""))),
        Some(Value::String(text)) => Ok(Some(Destination::received(text))),
        Some(_) => Err(EventError::Member("destinationService")),
    }
}

fn kind(members: &Map<String, Value>) -> Result<EventKind, EventError> {
    let name = text(members, "type", "type").unwrap_or_default();
    Ok(match name.as_str() {
        REFRESH => EventKind::Refresh,
        SHUTDOWN => EventKind::Shutdown,
        ENVIRONMENT_CHANGE => EventKind::EnvironmentChange(values(members)?),
        ACK => EventKind::Ack {
            acked: text(members, "ackId", "ack_id").map(EventId),
            acked_destination: text(members, "ackDestinationService", "ack_destination_service"),
            event: text(members, "event", "event"),
        },
        _ => EventKind::Unknown(name),
    })
}

fn values(members: &Map<String, Value>) -> Result<IndexMap<String, Option<String>>, EventError> {
    const WRONG: EventError = EventError::Member("values");
    let Some(Value::Object(values)) = members.get("values") else {
        return Err(WRONG);
    };
    values
        .iter()
        .map(|(key, value)| match value {
            Value::Null => Ok((key.clone(), None)),
            Value::String(text) => Ok((key.clone(), Some(text.clone()))),
            Value::Bool(_) | Value::Number(_) => Ok((key.clone(), Some(value.to_string()))),
            Value::Array(_) | Value::Object(_) => Err(WRONG),
        })
        .collect()
}

#[cfg(test)]
mod tests;
