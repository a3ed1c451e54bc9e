//! The resolved settings, for the operator's eyes: secrets redacted, with their origins.

use std::fmt::Write as _;
use std::sync::Arc;

use super::concerns::GROUPS;
use super::key::{join, parts};
use super::known::{Group, Kind, Table};
use super::origin::Written;
use super::redact::{self, HIDDEN};
use super::tree::Node;

/// One line for each setting that was written or has a default.
pub(super) fn print(root: &Node, table: &Table, profiles: &[String]) -> String {
    let mut text = String::new();
    let active = if profiles.is_empty() {
        "none".into()
    } else {
        profiles.join(", ")
    };
    let _ = writeln!(text, "# Active profiles: {active}");
    for group in GROUPS {
        let lines = lines(root, table, group);
        if !lines.is_empty() {
            let _ = write!(text, "\n# {}\n{}", group.title, lines.concat());
        }
    }
    text
}

/// Every known setting that was written, by its full name.
pub(super) fn written(root: &Node, table: &Table) -> Arc<[(String, String)]> {
    let leaves = root.leaves();
    let known = leaves.iter().filter_map(|(path, written)| {
        let row = table.row(path)?;
        Some((join(path), shown(row.key.kind, written)))
    });
    known.collect()
}

fn lines(root: &Node, table: &Table, group: &Group) -> Vec<String> {
    let mut lines = Vec::new();
    let leaves = root.leaves();
    for (path, written) in &leaves {
        let of_group = |row: &super::known::Row| group.keys.iter().any(|key| std::ptr::eq(key, row.key));
        if let Some(row) = table.row(path).filter(|row| of_group(row)) {
            let value = shown(row.key.kind, written);
            lines.push(format!("{} = {value}   ({})\n", join(path), written.origin));
        }
    }
    let used = !lines.is_empty() || !group.prefixes[0].contains("config.server.");
    for key in group.keys.iter().filter(|key| used && !key.default.is_empty()) {
        let name = format!("{}.{}", group.prefixes[0], key.name);
        let plain = !name.contains('<') && !matches!(key.kind, Kind::Ignored | Kind::Refused);
        if plain && !is_written(root, &name) {
            let value = if key.kind == Kind::Secret { HIDDEN } else { key.default };
            lines.push(format!("{name} = {value}   (default)\n"));
        }
    }
    lines
}

fn is_written(root: &Node, name: &str) -> bool {
    root.find(&parts(name)).is_some_and(|node| !node.leaves().is_empty())
}

fn shown(kind: Kind, written: &Written) -> String {
    if written.sealed {
        HIDDEN.into()
    } else {
        redact::shown(kind, &written.text)
    }
}
