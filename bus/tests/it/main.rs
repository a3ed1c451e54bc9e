//! The bus against the real things: a RabbitMQ node, HTTP servers, and a network that breaks.

mod harness;

mod embedded;
mod encrypted;

mod bridge;
mod faults;
mod recorded;
mod refused;
