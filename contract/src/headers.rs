//! Names of the HTTP headers config-bus adds, and of the media types of Spring's routes.

/// On every configuration answer: the commit that was served (or the comma-joined commits).
pub const VERSION: &str = "x-config-version";
/// On a configuration answer: a newer commit that is held back for this application.
pub const HELD: &str = "x-config-held";
/// On a configuration answer: for how many seconds the remote has not been reachable.
pub const STALE: &str = "x-config-stale";
/// On a configuration answer: the head move at which it was given, as [`crate::MoveId`] prints itself.
///
/// It puts the answers of one server in order (promise 2), and so it is on an answer that is held
/// back, too: that one knows the move whose commit [`HELD`] names, although [`VERSION`] is older. Who
/// waits for that commit has its answer, and need not ask again.
pub const MOVE: &str = "x-config-move";
/// On a configuration answer: the label that was served; it matters when the request named none, or
/// the server fell back to another one.
pub const LABEL: &str = "x-config-label";
/// On a request: what the answer must not be older than ([`crate::AtLeast`], several with commas).
pub const AT_LEAST: &str = "x-config-at-least";
/// On the answer to `GET /bus/agents`: how many agents there are of those that are asked for, of which
/// one answer holds only so many.
pub const TOTAL: &str = "x-total-count";
/// The client's last known state; only secret stores read it.
pub const STATE: &str = "x-config-state";

/// Media type of an environment whose values carry their origin.
pub const ENVIRONMENT_V2: &str = "application/vnd.spring-cloud.config-server.v2+json";
/// Media type of problem details (RFC 9457).
pub const PROBLEM: &str = "application/problem+json";
