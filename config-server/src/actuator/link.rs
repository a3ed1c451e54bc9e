//! The state of a connection in words.

use bus::LinkState;

/// One word.
pub(super) fn name(state: &LinkState) -> &'static str {
    match state {
        LinkState::Connected => "connected",
        LinkState::Blocked { .. } => "blocked",
        LinkState::Waiting { .. } => "waiting",
        LinkState::Connecting { .. } => "connecting",
        LinkState::Misconfigured { .. } => "misconfigured",
        _ => "stopped",
    }
}

/// Why it is not connected, where that is known.
pub(super) fn reason(state: &LinkState) -> Option<&str> {
    match state {
        LinkState::Blocked { reason } | LinkState::Waiting { reason, .. } | LinkState::Misconfigured { reason, .. } => {
            Some(reason)
        }
        _ => None,
    }
}
