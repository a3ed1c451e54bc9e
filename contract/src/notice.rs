//! What config-bus adds to a refresh event, beside the body that Spring reads.
//!
//! A notice only says *look, at least this*: what to apply comes from the fetch. It travels in AMQP
//! headers (a strict Spring client rejects unknown body members) and, on the embedded bus, as a
//! member of the SSE data.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::names::{CommitId, Label, NameError};
use crate::scope::Affects;

const LABEL: &str = "x-config-bus-label";
const FROM: &str = "x-config-bus-from";
const TO: &str = "x-config-bus-to";
const AFFECTS: &str = "x-config-bus-affects";
const SPREAD: &str = "x-config-bus-spread";
const REPORT_SPREAD: &str = "x-config-bus-report-spread";
const MOVE: &str = "x-config-bus-move";

/// Longest `affects` header in bytes; a notice stays under 8 kB.
const AFFECTS_LIMIT: usize = 6 * 1024;

/// One entry of a server's head-move log: `epoch` names the log, `sequence` counts its entries.
///
/// Within one epoch a greater sequence is newer, whatever git says about the commits (a rollback is
/// a move forward). Printed `epoch-sequence`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MoveId {
    /// Random name of the log, made when the log was.
    pub epoch: String,
    /// Counts from 1.
    pub sequence: u64,
}

/// What moved and whom it touches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The label whose head moved.
    pub label: Label,
    /// Where the head stood; `None` when it was not known before.
    #[serde(default)]
    pub from: Option<CommitId>,
    /// Where the head stands now: fetch at least this.
    pub to: CommitId,
    /// Who should look.
    pub affects: Affects,
    /// Window in milliseconds over which those who look should spread their fetches.
    #[serde(default)]
    pub spread_millis: u64,
    /// Window in milliseconds from hearing it, in whose second half those who looked should report:
    /// the first half is left to those who still look.
    #[serde(default)]
    pub report_spread_millis: u64,
    /// The entry of the sender's head-move log.
    #[serde(default, rename = "move")]
    pub moved: Option<MoveId>,
}

impl Notice {
    /// The spread window.
    #[must_use]
    pub fn spread(&self) -> Duration {
        Duration::from_millis(self.spread_millis)
    }

    /// The window of the reports.
    #[must_use]
    pub fn report_spread(&self) -> Duration {
        Duration::from_millis(self.report_spread_millis)
    }

    /// The notice as header names and texts.
    #[must_use]
    pub fn to_headers(&self) -> BTreeMap<&'static str, String> {
        let mut headers = BTreeMap::from([
            (LABEL, self.label.to_string()),
            (TO, self.to.to_string()),
            (AFFECTS, self.affects.to_header(AFFECTS_LIMIT)),
            (SPREAD, self.spread_millis.to_string()),
            (REPORT_SPREAD, self.report_spread_millis.to_string()),
        ]);
        if let Some(from) = &self.from {
            headers.insert(FROM, from.to_string());
        }
        if let Some(moved) = &self.moved {
            headers.insert(MOVE, moved.to_string());
        }
        headers
    }

    /// Reads a notice out of headers; `None` when they carry none, or one that cannot be trusted
    /// (then the event is a plain refresh, and everybody it addresses looks).
    pub fn from_headers<'a>(header: impl Fn(&str) -> Option<&'a str>) -> Option<Self> {
        let millis = |name| header(name).and_then(|text| text.parse().ok()).unwrap_or(0);
        Some(Self {
            label: header(LABEL)?.parse().ok()?,
            from: header(FROM).and_then(|text| text.parse().ok()),
            to: header(TO)?.parse().ok()?,
            affects: header(AFFECTS).map_or(Affects::All, Affects::from_header),
            spread_millis: millis(SPREAD),
            report_spread_millis: millis(REPORT_SPREAD),
            moved: header(MOVE).and_then(|text| text.parse().ok()),
        })
    }
}

impl fmt::Display for MoveId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch, self.sequence)
    }
}

impl FromStr for MoveId {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let parts = text.rsplit_once('-').and_then(|(epoch, sequence)| {
            let plain = !epoch.is_empty() && epoch.chars().all(|c| c.is_ascii_alphanumeric());
            plain.then(|| sequence.parse().ok().map(|sequence| (epoch, sequence)))?
        });
        let (epoch, sequence) = parts.ok_or(NameError::Shape {
            what: "move id",
            shape: "`epoch-sequence`",
        })?;
        Ok(Self {
            epoch: epoch.to_owned(),
            sequence,
        })
    }
}

impl TryFrom<String> for MoveId {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<MoveId> for String {
    fn from(id: MoveId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::Scope;

    #[test]
    fn headers_read_back_as_the_notice() {
        let notice = Notice {
            label: "feature/x".parse().expect("a label"),
            from: None,
            to: "a".repeat(40).parse().expect("a commit"),
            affects: Affects::union([Scope::new(Some("orders"), Some("dev"))]),
            spread_millis: 250,
            report_spread_millis: 500,
            moved: Some("abc-7".parse().expect("a move")),
        };
        let headers = notice.to_headers();
        let back = Notice::from_headers(|name| headers.get(name).map(String::as_str));
        assert_eq!(back, Some(notice));
    }

    #[test]
    fn an_event_without_our_headers_has_no_notice() {
        assert_eq!(Notice::from_headers(|_| None), None);
    }
}
