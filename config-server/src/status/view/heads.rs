//! What is served, by repository.

use contract::ServerStatus;
use contract::status::HeadStatus;

use super::words::{clean, number, short};
use super::{Line, ago};

/// Broken files that are named; the server may list more.
const NAMED: usize = 3;

pub(super) fn lines(status: &ServerStatus) -> Vec<Line> {
    if status.heads.is_empty() {
        return vec![Line::plain("nothing is served yet")];
    }
    let width = status
        .heads
        .iter()
        .map(|head| head.label.as_str().chars().count())
        .max()
        .unwrap_or(0);
    let mut lines = Vec::new();
    for (at, head) in status.heads.iter().enumerate() {
        if at == 0 || status.heads[at - 1].repository != head.repository {
            lines.push(Line::heading(clean(&head.repository)));
        }
        let label = clean(head.label.as_str());
        let text = format!(
            "  {label:width$}  {}  seen {}",
            short(&head.commit),
            ago(head.age.saturating_mul(1000))
        );
        lines.push(Line::judged(text, head.is_faulty()));
        lines.extend(faults(head));
    }
    if status.more_heads > 0 {
        lines.push(Line::plain(format!("  and {} more labels", number(status.more_heads))));
    }
    lines
}

fn faults(head: &HeadStatus) -> Vec<Line> {
    let error = head
        .error
        .as_ref()
        .map(|error| format!("    not reached: {}", clean(error)));
    let broken = (!head.broken.is_empty()).then(|| {
        let named: Vec<String> = head.broken.iter().take(NAMED).map(|path| clean(path)).collect();
        let more = head.broken.len() - named.len();
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        format!(
            "    cannot be parsed, its readers are held back: {}{more}",
            named.join(", ")
        )
    });
    [error, broken].into_iter().flatten().map(Line::fault).collect()
}
