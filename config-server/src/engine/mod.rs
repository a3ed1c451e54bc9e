//! The pure core: bytes of a commit in, what an application gets out.
//!
//! No async, no clock, no git type, no filesystem, no HTTP. Every function is values in, values out,
//! so all of it is tested by tables, properties and the recorded answers of the stock server.
//!
//! - [`value`]: what a property is; [`document`]: what a parsed file is
//! - [`parse`]: YAML 1.1, `.properties` and XML into documents
//! - [`tree`]: the files of one commit; [`snapshot`]: a commit ready to be read
//! - [`query`]: what is asked for, and what must never be
//! - [`resolve`]: which documents answer a query, in which order
//! - [`placeholder`], [`cipher`], [`render`]: from sources to bytes
//! - [`diff`], [`affects`]: what changed between two snapshots, and whom it touches

pub mod document;
pub mod value;

pub mod parse;

pub mod snapshot;
pub mod tree;

pub mod query;
pub mod resolve;

pub mod cipher;
pub mod placeholder;
pub mod render;

pub mod affects;
pub mod diff;
