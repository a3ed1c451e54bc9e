//! Who follows, by application.

use contract::ServerStatus;
use contract::status::ApplicationStatus;

use super::Line;
use super::words::{clean, number, short, span};

pub(super) fn lines(status: &ServerStatus) -> Vec<Line> {
    if status.applications.is_empty() {
        return vec![Line::plain("no agents yet")];
    }
    let agents: usize = status.applications.iter().map(|application| application.agents).sum();
    let mut lines = vec![Line::heading(format!("{} agents", number(agents)))];
    let names: Vec<String> = status.applications.iter().map(name).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    for (application, name) in status.applications.iter().zip(names) {
        let text = format!(
            "  {name:width$}  {:>6}{}",
            number(application.agents),
            details(application, status)
        );
        lines.push(Line::judged(text.trim_end(), application.is_faulty(status.drift_after)));
    }
    if status.more_applications > 0 {
        lines.push(Line::plain(format!(
            "  and {} more applications",
            number(status.more_applications)
        )));
    }
    lines
}

fn name(application: &ApplicationStatus) -> String {
    if application.application.is_empty() {
        return "(Spring)".to_owned();
    }
    clean(&application.application)
}

/// What its agents run, and what is wrong with them.
fn details(application: &ApplicationStatus, status: &ServerStatus) -> String {
    let commits = match application.commits.as_slice() {
        [only] => short(&only.commit).to_owned(),
        several => {
            let counted = several
                .iter()
                .map(|one| format!("{} {}", short(&one.commit), number(one.agents)));
            counted.collect::<Vec<_>>().join(", ")
        }
    };
    let counted = [
        (application.failed, "failed"),
        (application.vetoed, "vetoed"),
        (application.away, "away"),
    ];
    let counted = counted.iter().filter(|(count, _)| *count > 0);
    let mut details: Vec<String> = counted
        .map(|(count, what)| format!("{what} {}", number(*count)))
        .collect();
    if let Some(drift) = application
        .drift
        .filter(|_| application.has_drifted(status.drift_after))
    {
        details.push(format!("drifting for {}", span(drift)));
    }
    let details: String = details.iter().map(|detail| format!("  {detail}")).collect();
    format!("  {commits}{details}")
}
