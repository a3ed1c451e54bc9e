//! What was written that is no setting here, or has no effect.

use std::collections::BTreeMap;

use super::concerns::backend;
use super::fault::{Reason, SettingFault};
use super::key::{Part, join, uniform};
use super::known::{Kind, Row, Table};
use super::origin::Written;
use super::tree::Node;
use super::units::flag;

/// Below these, a name that is not known is a mistake; elsewhere it belongs to somebody else.
const OURS: &[&str] = &[
    "config-bus",
    "spring.cloud.config.server",
    "spring.security",
    "encrypt",
    "server.ssl",
];

/// Faults for what must not be ignored, and a sentence for each family of names that is.
pub(super) fn judge(root: &Node, table: &Table) -> (Vec<SettingFault>, Vec<String>) {
    let mut faults = Vec::new();
    let mut notes = Vec::new();
    let mut foreign: BTreeMap<String, usize> = BTreeMap::new();
    let mut backends = Vec::new();
    for (path, written) in root.leaves() {
        match table.row(&path) {
            Some(row) => known(row, written, &mut faults, &mut notes),
            None if is_ours(&path) => match other_backend(&path).map(str::to_owned) {
                Some(name) if backends.contains(&name) => {}
                Some(name) => {
                    backends.push(name);
                    faults.push(SettingFault::at(written, backend::NOT_HERE));
                }
                None => faults.push(SettingFault::at(written, Reason::Unknown(table.nearest(&join(&path))))),
            },
            None => *foreign.entry(family(&path)).or_default() += 1,
        }
    }
    notes.extend(foreign.into_iter().map(|(family, count)| foreign_note(&family, count)));
    (faults, notes)
}

fn known(row: &Row, written: &Written, faults: &mut Vec<SettingFault>, notes: &mut Vec<String>) {
    match row.key.kind {
        Kind::Refused if !is_default(row, &written.text) => {
            faults.push(SettingFault::at(written, Reason::NotSupported(row.key.meaning)));
        }
        Kind::Ignored => notes.push(format!(
            "{} ({}) has no effect: {}",
            written.key, written.origin, row.key.meaning
        )),
        _ if row.key.name.contains(char::is_uppercase) && !written.key.ends_with(row.key.name) => notes.push(format!(
            "{} ({}) has no effect in this spelling, as in the stock server: write `{}`",
            written.key, written.origin, row.key.name
        )),
        _ => {}
    }
}

fn is_default(row: &Row, text: &str) -> bool {
    let same_flag = flag(text).is_some_and(|value| flag(row.key.default) == Some(value));
    same_flag || text.trim().eq_ignore_ascii_case(row.key.default)
}

fn is_ours(path: &[Part]) -> bool {
    OURS.iter().any(|prefix| starts_with(path, prefix))
}

fn starts_with(path: &[Part], prefix: &str) -> bool {
    let mut parts = path.iter();
    prefix
        .split('.')
        .all(|name| parts.next().is_some_and(|part| uniform(part.text()) == uniform(name)))
}

/// `spring.cloud.config.server.vault.*`
fn other_backend(path: &[Part]) -> Option<&str> {
    let name = path
        .get(4)
        .filter(|_| starts_with(path, "spring.cloud.config.server"))?
        .text();
    backend::is_elsewhere(name).then_some(name)
}

/// `spring.jpa` or `eureka`
fn family(path: &[Part]) -> String {
    let deep = path
        .first()
        .is_some_and(|part| ["spring", "management", "server"].contains(&part.text()));
    let count = if deep { 2 } else { 1 };
    join(&path[..count.min(path.len())])
}

fn foreign_note(family: &str, count: usize) -> String {
    match count {
        1 => format!("{family}.* (1 setting) is not used by this server"),
        count => format!("{family}.* ({count} settings) is not used by this server"),
    }
}
