//! How the server does: health, metrics, information, for people and for machines.

pub mod metrics;
