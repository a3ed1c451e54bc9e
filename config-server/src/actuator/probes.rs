//! `/live`, `/ready` and `/tasks`: the process, whether it should get requests, what it does.

use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use super::state::Actuator;

/// One thing that has to be so before requests should come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Latch {
    name: &'static str,
    ready: bool,
    /// Whether `/ready` waits for it.
    required: bool,
}

impl Actuator {
    /// Whether requests should come.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.latches().iter().all(|latch| latch.ready || !latch.required)
    }

    /// The answer of `/ready`.
    #[must_use]
    pub fn readiness(&self) -> (StatusCode, Value) {
        let latches = self.latches();
        let ready = self.is_ready();
        let status = if ready {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        (status, json!({ "ready": ready, "latches": latches }))
    }

    /// The answer of `/tasks`.
    #[must_use]
    pub fn task_list(&self) -> Value {
        json!({ "tasks": self.tasks.list(), "heads": self.head_list() })
    }

    fn latches(&self) -> [Latch; 3] {
        let connected = self.bus.as_ref().is_none_or(|bus| bus.borrow().is_connected());
        [
            Latch {
                name: "running",
                ready: !self.stopping.has_begun(),
                required: true,
            },
            Latch {
                name: "snapshot",
                ready: !self.store.heads().is_empty(),
                required: self.expects_heads,
            },
            // Events wait for the bus, requests do not.
            Latch {
                name: "bus",
                ready: connected,
                required: false,
            },
        ]
    }

    fn head_list(&self) -> Vec<Value> {
        let describe = |head: crate::store::HeadStatus| {
            json!({
                "repository": head.repository,
                "label": head.label,
                "commit": head.commit,
                "seenSecondsAgo": head.age.as_secs(),
                "staleSeconds": head.stale.map(|stale| stale.as_secs()),
                "error": head.error,
                "broken": head.broken,
            })
        };
        self.store.heads().into_iter().map(describe).collect()
    }
}
