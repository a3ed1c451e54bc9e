//! The two ways metrics are printed: for Prometheus, and one by one as Spring's `/actuator/metrics`.

use std::collections::BTreeSet;

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};

/// The content type of [`exposition`].
pub const EXPOSITION: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Everything, in the text form of OpenMetrics.
#[must_use]
pub fn exposition(registry: &Registry) -> String {
    let mut text = String::new();
    encode(&mut text, registry).expect("a String takes everything");
    text
}

/// The names of all metrics.
#[must_use]
pub fn names(registry: &Registry) -> Value {
    let text = exposition(registry);
    let names: BTreeSet<&str> = text.lines().filter_map(declared).collect();
    json!({ "names": names })
}

/// One metric with its samples; `None` when there is none of that name.
#[must_use]
pub fn one(registry: &Registry, name: &str) -> Option<Value> {
    let text = exposition(registry);
    text.lines().filter_map(declared).find(|declared| *declared == name)?;
    let sample = |line: &str| {
        let (series, value) = line.rsplit_once(' ')?;
        let rest = series.strip_prefix(name)?;
        let statistic = rest.split('{').next().unwrap_or_default().trim_start_matches('_');
        let statistic = if statistic.is_empty() { "value" } else { statistic };
        let value: f64 = value.parse().ok()?;
        Some(json!({ "statistic": statistic.to_uppercase(), "series": series, "value": value }))
    };
    let samples: Vec<Value> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(sample)
        .collect();
    Some(json!({ "name": name, "measurements": samples, "availableTags": [] }))
}

/// The name in a `# TYPE name kind` line.
fn declared(line: &str) -> Option<&str> {
    line.strip_prefix("# TYPE ")?.split(' ').next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actuator::Metrics;
    use http::StatusCode;
    use std::time::Duration;

    #[test]
    fn a_metric_is_found_by_its_name() {
        let mut registry = Registry::default();
        Metrics::new(&mut registry).observe(StatusCode::OK, Duration::from_millis(1));
        assert_eq!(names(&registry), json!({ "names": ["http_server_requests_seconds"] }));
        let found = one(&registry, "http_server_requests_seconds").expect("it is there");
        let text = found.to_string();
        assert!(text.contains("\"statistic\":\"COUNT\""), "{text}");
        assert_eq!(one(&registry, "http"), None);
    }
}
