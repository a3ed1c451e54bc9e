//! The newest event and how it goes.

use contract::delivery::{AgentDelivery, EventState};
use contract::report::Outcome;
use contract::{DeliveryReport, ServerStatus};

use super::words::{clean, number, short, span};
use super::{Line, ago};
use crate::status::is_overdue;

/// Cells of the bar.
const CELLS: usize = 30;
/// Silent members that are named.
const NAMED: usize = 3;

pub(super) fn lines(status: &ServerStatus) -> Vec<Line> {
    let Some(round) = &status.round else {
        return vec![Line::plain("no refresh yet")];
    };
    let since = ago(status.time.saturating_sub(round.created));
    let expired = round.state == EventState::Expired;
    let title = format!(
        "newest refresh {}  {}, {since}, {}",
        moved(round),
        clean(&round.cause),
        state(round)
    );
    let mut lines = vec![if expired {
        Line::fault(title)
    } else {
        Line::heading(title)
    }];
    lines.push(Line::plain(format!("  {}", counts(round))));
    lines.extend(bar(round).map(|bar| Line::plain(format!("  {bar}"))));
    lines.extend(round.agents.iter().filter_map(refusal));
    lines.extend(silent(round).map(|text| Line::judged(text, is_overdue(status))));
    lines
}

/// All of it in one line.
pub(super) fn summary(round: &DeliveryReport) -> String {
    format!("{}  {}  {}", moved(round), state(round), counts(round))
}

/// Which head moved and how, or what was asked for.
fn moved(round: &DeliveryReport) -> String {
    match (&round.label, &round.commit) {
        (Some(label), Some(commit)) => {
            let from = round.previous.as_ref().map(|from| format!("{}..", short(from)));
            format!(
                "{} {}{}",
                clean(label.as_str()),
                from.unwrap_or_default(),
                short(commit)
            )
        }
        _ => format!("of {}", clean(round.destination.as_str())),
    }
}

fn state(round: &DeliveryReport) -> &'static str {
    match round.state {
        EventState::Queued => "waiting for the bus",
        EventState::Published => "published",
        EventState::Expired => "given up: it waited too long for the bus",
        _ => "in a state of a later version",
    }
}

fn counts(round: &DeliveryReport) -> String {
    let summary = &round.summary;
    let counts = [
        ("applied", summary.applied),
        ("unchanged", summary.unchanged),
        ("failed", summary.failed),
        ("vetoed", summary.vetoed),
        ("silent", summary.silent),
    ];
    let counts = counts
        .map(|(what, count)| format!("{what} {}", number(count)))
        .join("  ");
    match &round.latency {
        Some(took) => {
            let (p50, p99, max) = (span(took.p50), span(took.p99), span(took.max));
            format!("{counts}  p50 {p50}  p99 {p99}  max {max}")
        }
        None => counts,
    }
}

/// How many have answered; `None` where nobody is expected to.
fn bar(round: &DeliveryReport) -> Option<String> {
    let summary = &round.summary;
    let answered = summary.applied + summary.unchanged + summary.failed + summary.vetoed;
    let all = answered + summary.silent;
    let of = |whole: usize| (answered * whole).checked_div(all);
    let (cells, percent) = (of(CELLS)?, of(100)?);
    Some(format!("[{:-<CELLS$}] {percent} %", "#".repeat(cells)))
}

fn refusal(agent: &AgentDelivery) -> Option<Line> {
    let outcome = match agent.outcome? {
        Outcome::Failed => "failed",
        Outcome::Vetoed => "vetoed",
        _ => return None,
    };
    let reason = agent.reason.as_deref().unwrap_or("it did not say why");
    Some(Line::fault(format!(
        "  {outcome}  {}  {}",
        clean(agent.bus_id.as_str()),
        clean(reason)
    )))
}

fn silent(round: &DeliveryReport) -> Option<String> {
    let silent = round.agents.iter().filter(|agent| agent.outcome.is_none());
    let named: Vec<String> = silent.take(NAMED).map(|agent| clean(agent.bus_id.as_str())).collect();
    let more = round.summary.silent.saturating_sub(named.len());
    let more = if more > 0 {
        format!(" and {} more", number(more))
    } else {
        String::new()
    };
    (!named.is_empty()).then(|| format!("  silent  {}{more}", named.join(", ")))
}
