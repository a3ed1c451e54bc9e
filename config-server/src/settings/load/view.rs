//! Reads typed values out of the tree by the rows of the table, and collects what is wrong.

use std::cell::RefCell;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::fault::{Reason, SettingFault};
use super::key::{Part, parts};
use super::known::{Group, Kind};
use super::origin::Written;
use super::redact;
use super::tree::Node;
use super::units;
use crate::settings::encrypt::Secret;

/// The settings of one group at one place.
#[derive(Debug, Clone)]
pub(crate) struct View<'t> {
    group: &'static Group,
    /// The prefix as it was written.
    at: String,
    node: Option<&'t Node>,
    faults: &'t RefCell<Vec<SettingFault>>,
}

impl<'t> View<'t> {
    /// Opens `group` at `at`, one of its prefixes with the names filled in.
    pub(crate) fn open(
        root: &'t Node,
        faults: &'t RefCell<Vec<SettingFault>>,
        group: &'static Group,
        at: &str,
    ) -> Self {
        Self {
            group,
            at: at.into(),
            node: root.find(&parts(at)),
            faults,
        }
    }

    /// What was written at `name`; an empty text counts as nothing.
    pub(crate) fn written(&self, name: &str) -> Option<&'t Written> {
        let node = self.node?.find(&parts(name))?;
        node.value.as_ref().filter(|written| !written.text.trim().is_empty())
    }

    /// Whether anything stands at `name` or below.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.node
            .and_then(|node| node.find(&parts(name)))
            .is_some_and(|node| !node.leaves().is_empty())
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let text = self.written(name).map(|written| written.text.as_str());
        text.or_else(|| self.default(name)).map(str::to_owned)
    }

    /// A text whose row has a default.
    pub(crate) fn text_or_default(&self, name: &str) -> String {
        self.text(name).unwrap_or_default()
    }

    pub(crate) fn secret(&self, name: &str) -> Option<Secret> {
        self.text(name).map(Secret::new)
    }

    pub(crate) fn path(&self, name: &str) -> Option<PathBuf> {
        self.text(name).map(|text| file_location(&text).into())
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.read(name, "`true` or `false`", units::flag)
    }

    pub(crate) fn time(&self, name: &str) -> Duration {
        self.read(name, &self.time_allowed(name), |text| {
            units::time(text, self.unit(name))
        })
    }

    /// A time where a negative one has a meaning of its own.
    pub(crate) fn signed_time(&self, name: &str) -> Option<Duration> {
        self.read(name, &self.time_allowed(name), |text| {
            units::signed_time(text, self.unit(name))
        })
    }

    pub(crate) fn size(&self, name: &str) -> usize {
        self.read(name, "a size: `512`, `64KiB`, `10MB`", units::size)
    }

    /// A whole number that may not be 0.
    pub(crate) fn count(&self, name: &str) -> usize {
        self.read(name, "a whole number from 1", |text| {
            text.trim().parse().ok().filter(|&count| count > 0)
        })
    }

    pub(crate) fn number<T: FromStr + Default>(&self, name: &str, allowed: &str) -> T {
        self.read(name, allowed, |text| text.trim().parse().ok())
    }

    /// One of the row's choices, by its place among them.
    pub(crate) fn choice(&self, name: &str) -> usize {
        let choices = self.choices(name);
        let allowed = choices.iter().map(|choice| format!("`{choice}`")).collect::<Vec<_>>();
        let find = |text: &str| {
            let text = text.trim();
            choices.iter().position(|choice| choice.eq_ignore_ascii_case(text))
        };
        self.read(name, &format!("one of {}", allowed.join(", ")), find)
    }

    /// A comma list or items; blanks around each are dropped, and so are empty ones.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let Some(node) = self.node.and_then(|node| node.find(&parts(name))) else {
            return self.default(name).map(commas).unwrap_or_default();
        };
        let items = node.items();
        if items.is_empty() {
            let text = self.written(name).map(|written| written.text.as_str());
            return text.map(commas).unwrap_or_default();
        }
        let text = |(_, item): (&Part, &Node)| item.value.as_ref().map(|written| written.text.trim().to_owned());
        items
            .into_iter()
            .filter_map(text)
            .filter(|text| !text.is_empty())
            .collect()
    }

    /// What stands below `name`, each by its own name, in the order written.
    pub(crate) fn names(&self, name: &str) -> Vec<String> {
        let node = self.node.and_then(|node| node.find(&parts(name)));
        let entries = node.into_iter().flat_map(Node::entries);
        entries.map(|(part, _)| part.text().to_owned()).collect()
    }

    /// Every value below `name`, by the rest of its name.
    pub(crate) fn values(&self, name: &str) -> Vec<(String, &'t Written)> {
        let node = self.node.and_then(|node| node.find(&parts(name)));
        let leaves = node.map(Node::leaves).unwrap_or_default();
        let named = |(path, written): (Vec<Part>, &'t Written)| (map_key(&path), written);
        leaves
            .into_iter()
            .map(named)
            .filter(|(key, _)| !key.is_empty())
            .collect()
    }

    /// Complains about `name`, where it is written or as a whole.
    pub(crate) fn fault(&self, name: &str, reason: Reason) {
        let fault = match self.written(name) {
            Some(written) => SettingFault::at(written, reason),
            None => SettingFault::absent(self.full(name), reason),
        };
        self.faults.borrow_mut().push(fault);
    }

    /// Complains that the written value is not `allowed`.
    pub(crate) fn wrong(&self, name: &str, allowed: &str) {
        let value = self.text(name).unwrap_or_default();
        let sealed = self.written(name).is_some_and(|written| written.sealed);
        let kind = self.group.key(name).kind;
        let reason = match kind {
            Kind::Secret | Kind::Values => Reason::WrongSecret(allowed.into()),
            _ if sealed => Reason::WrongSecret(allowed.into()),
            _ => Reason::Wrong {
                value: redact::shown(kind, &value),
                allowed: allowed.into(),
            },
        };
        self.fault(name, reason);
    }

    fn full(&self, name: &str) -> String {
        match name {
            "" => self.at.clone(),
            name => format!("{}.{name}", self.at),
        }
    }

    fn default(&self, name: &str) -> Option<&'static str> {
        Some(self.group.key(name).default).filter(|text| !text.is_empty())
    }

    fn read<T: Default>(&self, name: &str, allowed: &str, parse: impl Fn(&str) -> Option<T>) -> T {
        let default = || self.default(name).and_then(&parse).unwrap_or_default();
        let Some(written) = self.written(name) else {
            return default();
        };
        parse(&written.text).unwrap_or_else(|| {
            self.wrong(name, allowed);
            default()
        })
    }

    fn unit(&self, name: &str) -> units::Unit {
        match self.group.key(name).kind {
            Kind::Time(unit) => unit,
            _ => units::Unit::Seconds,
        }
    }

    fn time_allowed(&self, name: &str) -> String {
        let unit = self.unit(name).name();
        format!("a time: `500ms`, `30s`, `5m`, or a number of {unit}")
    }

    fn choices(&self, name: &str) -> &'static [&'static str] {
        match self.group.key(name).kind {
            Kind::Choice(choices) => choices,
            _ => &[],
        }
    }
}

/// The path in a `file:` location.
pub(crate) fn file_location(text: &str) -> &str {
    let text = text.trim();
    let path = text.strip_prefix("file:").unwrap_or(text);
    match path.strip_prefix("//") {
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    }
}

/// The items of a comma list.
pub(crate) fn commas(text: &str) -> Vec<String> {
    text.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(str::to_owned)
        .collect()
}

/// A map's key: brackets around the whole of it are only spelling.
fn map_key(path: &[Part]) -> String {
    match path {
        [Part::Bracket(text)] => text.clone(),
        path => super::key::join(path),
    }
}
