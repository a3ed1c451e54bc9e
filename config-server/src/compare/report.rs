//! All verdicts together, readable.

use std::collections::BTreeMap;
use std::fmt;

use super::asks::Ask;
use super::inventory::Inventory;
use super::verdict::Verdict;

/// Differences that are listed; the rest is counted.
const LISTED: usize = 100;

/// What came of comparing two servers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    asked: usize,
    differs: usize,
    /// The request and why, up to a limit.
    differences: Vec<(String, String)>,
    deviations: BTreeMap<&'static str, usize>,
}

impl Report {
    /// Whether both answer the same, but for deviations that are meant.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.differs == 0
    }

    pub(super) fn add(&mut self, ask: &Ask, verdict: Verdict) {
        self.asked += 1;
        match verdict {
            Verdict::Same => {}
            Verdict::Deviates(why) => *self.deviations.entry(why).or_default() += 1,
            Verdict::Differs(why) => {
                self.differs += 1;
                if self.differences.len() < LISTED {
                    let accept = if ask.accept == "*/*" {
                        String::new()
                    } else {
                        format!(" ({})", ask.accept)
                    };
                    self.differences.push((format!("/{}{accept}", ask.path), why));
                }
            }
        }
    }

    /// One line about what was added since `before`.
    pub(super) fn since(&self, before: &Self, label: Option<&str>, inventory: &Inventory) -> String {
        let label = label.map_or_else(|| "no label".to_owned(), |label| format!("label {label}"));
        let (asked, differs) = (self.asked - before.asked, self.differs - before.differs);
        let applications = inventory.applications().len();
        format!("{label}: {applications} applications, {asked} requests, {differs} differences")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (request, why) in &self.differences {
            writeln!(f, "  GET {request}\n      {why}")?;
        }
        if self.differs > self.differences.len() {
            writeln!(f, "  and {} more", self.differs - self.differences.len())?;
        }
        for (why, times) in &self.deviations {
            writeln!(f, "  {times} times otherwise on purpose: {why}")?;
        }
        write!(f, "{} requests, {} differences", self.asked, self.differs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::asks::Compared;

    #[test]
    fn a_report_lists_what_differs_and_counts_what_deviates() {
        let ask = Ask {
            path: "orders/dev".to_owned(),
            accept: "*/*",
            compared: Compared::Environment,
        };
        let mut report = Report::default();
        report.add(&ask, Verdict::Same);
        report.add(&ask, Verdict::Deviates("on purpose"));
        assert!(report.is_same());
        report.add(&ask, Verdict::Differs("/label: `1`, theirs `2`".to_owned()));
        assert!(!report.is_same());
        assert_eq!(
            report.to_string(),
            "  GET /orders/dev\n      /label: `1`, theirs `2`\n  1 times otherwise on purpose: on purpose\n3 requests, 1 differences"
        );
    }
}
