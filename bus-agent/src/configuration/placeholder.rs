//! `${key}` and `${key:default}` in values, as a Spring client resolves them.

use indexmap::IndexMap;
use serde_json::Value;

use super::{Entry, Variables, key, text_of};

/// Longest text one value may expand to.
const LONGEST: usize = 1 << 20;
/// Most placeholders one value may take to expand.
const MOST: usize = 1_000;
/// Deepest chain of values that refer to values.
const DEEPEST: usize = 32;

/// Resolves the placeholders of every text. What cannot be resolved (unknown, circular, too deep or
/// too long) stays as it is written, as in Spring's binder.
pub(super) fn resolve(entries: &mut IndexMap<String, Entry>, variables: &Variables) {
    let resolved: Vec<(usize, String)> = entries
        .values()
        .enumerate()
        .filter_map(|(at, entry)| match &entry.value {
            Value::String(text) if text.contains("${") => Some((at, text)),
            _ => None,
        })
        .map(|(at, text)| {
            let mut expansion = Expansion {
                entries,
                variables,
                depth: 0,
                left: MOST,
                room: LONGEST,
            };
            (at, expansion.expand(text).unwrap_or_else(|| text.clone()))
        })
        .collect();
    for (at, text) in resolved {
        entries[at].value = Value::String(text);
    }
}

/// One value being expanded. A circle ends at the depth limit.
struct Expansion<'a> {
    entries: &'a IndexMap<String, Entry>,
    variables: &'a Variables,
    depth: usize,
    left: usize,
    room: usize,
}

impl Expansion<'_> {
    /// `None` when a limit was reached.
    fn expand(&mut self, text: &str) -> Option<String> {
        let mut expanded = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            let (before, from) = rest.split_at(at);
            if let Some(before) = before.strip_suffix('\\') {
                self.push(&mut expanded, before)?;
                self.push(&mut expanded, "${")?;
                rest = &from[2..];
                continue;
            }
            self.push(&mut expanded, before)?;
            let Some(end) = closing(&from[2..]) else {
                rest = from;
                break;
            };
            let value = self.look_up(&from[2..2 + end])?;
            self.push(&mut expanded, &value)?;
            rest = &from[2 + end + 1..];
        }
        self.push(&mut expanded, rest)?;
        Some(expanded)
    }

    /// What stands for `${inner}`.
    fn look_up(&mut self, inner: &str) -> Option<String> {
        self.left = self.left.checked_sub(1)?;
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let inner = self.expand(inner)?;
        let found = match (self.value_of(&inner), inner.split_once(':')) {
            (Some(value), _) => Some(value),
            (None, Some((name, default))) => Some(self.value_of(name).unwrap_or_else(|| default.to_owned())),
            (None, None) => None,
        };
        let value = match found {
            Some(value) => self.expand(&value)?,
            None => format!("${{{inner}}}"),
        };
        self.depth -= 1;
        Some(value)
    }

    /// The surroundings win over the configuration, as they do in Spring.
    fn value_of(&self, name: &str) -> Option<String> {
        let variable = |name: &str| self.variables.get(name).cloned();
        variable(name).or_else(|| variable(&as_variable(name))).or_else(|| {
            self.entries
                .get(&key::canonical(name))
                .map(|entry| text_of(&entry.value))
        })
    }

    fn push(&mut self, expanded: &mut String, text: &str) -> Option<()> {
        self.room = self.room.checked_sub(text.len())?;
        expanded.push_str(text);
        Some(())
    }
}

/// Where the brace that closes `text` stands.
fn closing(text: &str) -> Option<usize> {
    let mut open = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' if at > 0 && text.as_bytes()[at - 1] == b'$' => open += 1,
            b'}' if open == 0 => return Some(at),
            b'}' => open -= 1,
            _ => {}
        }
    }
    None
}

/// `db.max-pool` as an environment variable: `DB_MAXPOOL`.
fn as_variable(name: &str) -> String {
    name.chars()
        .filter(|&c| c != '-')
        .map(|c| {
            if c.is_alphanumeric() {
                c.to_ascii_uppercase()
            } else {
                '_'
            }
        })
        .collect()
}
