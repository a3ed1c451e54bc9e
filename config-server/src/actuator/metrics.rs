//! What is counted.

use std::time::Duration;

use http::StatusCode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Upper bounds in seconds: a kept answer takes microseconds, a first clone seconds.
const BUCKETS: [f64; 12] = [
    0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0,
];

/// The classes of an answer's status.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

type Label = [(&'static str, &'static str); 1];

/// What is counted while requests are answered. Everything else is gathered when it is asked for.
#[derive(Debug)]
pub struct Metrics {
    /// Durations by status class, looked up once: counting takes no map.
    requests: [Histogram; CLASSES.len()],
}

impl Metrics {
    /// Registers what is counted.
    #[must_use]
    pub fn new(registry: &mut Registry) -> Self {
        let requests = Family::<Label, Histogram>::new_with_constructor(|| Histogram::new(BUCKETS));
        let help = "How long requests took to answer, by the class of the status";
        registry.register_with_unit("http_server_requests", help, Unit::Seconds, requests.clone());
        Self {
            requests: CLASSES.map(|class| requests.get_or_create(&[("status", class)]).clone()),
        }
    }

    /// Counts one answered request.
    pub fn observe(&self, status: StatusCode, took: Duration) {
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES.len());
        self.requests[class - 1].observe(took.as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_class() {
        let mut registry = Registry::default();
        let metrics = Metrics::new(&mut registry);
        metrics.observe(StatusCode::OK, Duration::from_millis(2));
        metrics.observe(StatusCode::NOT_MODIFIED, Duration::from_millis(1));
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).expect("a String takes everything");
        assert!(
            text.contains("http_server_requests_seconds_count{status=\"2xx\"} 1"),
            "{text}"
        );
        assert!(
            text.contains("http_server_requests_seconds_count{status=\"5xx\"} 0"),
            "{text}"
        );
    }
}
