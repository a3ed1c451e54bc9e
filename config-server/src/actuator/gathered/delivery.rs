//! What agents answered and how they stand.

use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use super::count;
use crate::change::delivery::{Drift, Standing};
use crate::change::{Change, clock};

/// The series of the delivery reports. None of them names an agent or an application: there may be
/// any number of those.
pub(super) fn encode(change: &Change, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    answers(change, encoder)?;
    members(change, encoder)?;
    let drifting = change.drifting(clock::now());
    let longest = drifting.iter().map(|drift| drift.since).min();
    let seconds = longest.map_or(0, |since| clock::now().saturating_sub(since) / 1000);
    for (name, help, value) in [
        (
            "delivery_rounds_open",
            "Rounds of which more answers are expected",
            count(change.delivery().open_rounds()),
        ),
        (
            "agents_drifting_applications",
            "Applications with agents on different configurations for longer than config-bus.drift-after",
            count(applications(&drifting)),
        ),
        (
            "agents_drifting_seconds",
            "For how long the application that drifts longest has",
            i64::try_from(seconds).unwrap_or(i64::MAX),
        ),
    ] {
        ConstGauge::new(value).encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)?;
    }
    Ok(())
}

fn answers(change: &Change, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let tally = change.delivery().tally();
    let help = "Answers of agents to events, by how their round ended";
    let mut outcomes = encoder.encode_descriptor("delivery_answers", help, None, MetricType::Counter)?;
    for (outcome, count) in tally.outcomes() {
        ConstCounter::new(count).encode(outcomes.encode_family(&[("outcome", outcome)])?)?;
    }
    let help = "From an event's making to an agent's answer";
    let mut latency =
        encoder.encode_descriptor("delivery_latency", help, Some(&Unit::Seconds), MetricType::Histogram)?;
    let seconds = tally.seconds();
    let answers = seconds.iter().map(|(_, answers)| answers).sum();
    latency.encode_histogram::<NoLabelSet>(tally.total_seconds(), answers, &seconds, None)
}

fn members(change: &Change, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let census = change.delivery().census(clock::now());
    let help = "Agents that are known, by how they stand";
    let mut members = encoder.encode_descriptor("agents_known", help, None, MetricType::Gauge)?;
    for standing in Standing::ALL {
        let gauge = ConstGauge::new(count(census.count(standing)));
        gauge.encode(members.encode_family(&[("state", standing.name())])?)?;
    }
    Ok(())
}

/// Groups of one application that differ by profile or label are one application.
fn applications(drifting: &[Drift]) -> usize {
    let mut names: Vec<&str> = drifting.iter().map(|drift| drift.application.as_str()).collect();
    names.dedup();
    names.len()
}
